import { readFile } from "node:fs/promises";
import { connect } from "node:net";

import { Command } from "commander";

import { signRequest } from "../authenticate/signatures/sign.ts";
import type { ListenAddress } from "../config/units.ts";
import type { Settings } from "../config/settings.ts";
import { secretsFrom } from "../daemon/secrets.ts";
import type { Storage } from "../daemon/storage.ts";
import type { Hook } from "../model/hook.ts";
import { OperatorError } from "../model/operator-error.ts";
import { DEAD_LETTER_STREAM } from "../publish/dead-letter.ts";
import { deadLetterOfSent } from "../publish/dead-letters.ts";
import { wantsJson, withStorage } from "./context.ts";
import { print, printJson } from "./print.ts";
import { sampleBody, sampleMail } from "../admin/samples.ts";

const PATIENCE_MS = 30_000;
const KEY_LIFE_MS = 60_000;

/** `posthorn send`: one test message through the real door. */
export function sendCommand(): Command {
  return new Command("send")
    .description("deliver a test message through the real door; a sample when no file is given")
    .argument("<event>", "event name of the hook")
    .argument("[file]", "a mail (.eml) for an email hook")
    .option("--data <file>", "what to send: a mail, or the body of a form or web hook")
    .option("--key <key>", "API key for a web hook")
    .addHelpText(
      "after",
      "\nExamples:\n  posthorn send kustomer.app.ecommstore.order.mail\n  posthorn send kustomer.app.ecommstore.order.update --data form.json\n  posthorn send kustomer.app.ecommstore.shipment --data parcel.xml",
    )
    .action(
      async (
        event: string,
        file: string | undefined,
        { data, key }: { data?: string; key?: string },
        command: Command,
      ) => {
        const source = data?.replace(/^@/, "") ?? file;
        const body =
          source === undefined
            ? undefined
            : await readFile(source).catch((error: unknown) => {
                throw new OperatorError(`cannot read ${source}`, "check the path", { cause: error });
              });
        const report = await withStorage(async (storage, settings): Promise<Report> => {
          const hook = storage.snapshot.hookByEventName(event);
          if (hook === undefined) throw new OperatorError(`no hook publishes ${event}`, "see `posthorn hooks list`");
          const before = (await storage.jsm.streams.info(DEAD_LETTER_STREAM)).state.last_seq;
          const answer =
            hook.type === "email"
              ? await sendMail(hook, settings, body)
              : await sendRequest(hook, settings, {
                  body: body === undefined ? Buffer.from(sampleBody()) : body,
                  contentType: contentTypeOf(source ?? ""),
                  ...(await proofOf(storage, hook, key)),
                });
          const { app, eventName, type } = hook;
          const { id, accepted } = answer;
          const letter =
            accepted && id !== undefined ? await deadLetterOfSent(storage, { app, eventName, id, before }) : undefined;
          return {
            event,
            type,
            answer: answer.text,
            accepted,
            deadLetter: letter && { id: letter.id, ...letter.reason },
          };
        });
        const { deadLetter, accepted, answer } = report;
        if (!accepted || deadLetter !== undefined) process.exitCode = 1;
        if (wantsJson(command)) return printJson({ ...report, deadLetter: deadLetter ?? null });
        print(answer);
        if (deadLetter !== undefined)
          throw new OperatorError(
            `it became a dead letter, ${deadLetter.code}: ${deadLetter.title}. ${deadLetter.detail.replace(/\.$/, "")}`,
            `see \`posthorn dead show ${deadLetter.id}\``,
          );
      },
    );
}

interface Report {
  readonly event: string;
  readonly type: Hook["type"];
  readonly answer: string;
  /** The door took it: as an event, or as a dead letter. */
  readonly accepted: boolean;
  readonly deadLetter:
    | { readonly id: string; readonly code: string; readonly title: string; readonly detail: string }
    | undefined;
}

/** What proves who sends to a web hook: the key that was given or is made for a minute, or the hook's signing secret. */
async function proofOf(
  storage: Storage,
  hook: Hook,
  key: string | undefined,
): Promise<Pick<Sending, "key" | "secret">> {
  const { signature } = hook.options;
  if (signature !== undefined) return { key, secret: secretsFrom(storage, process.env)(hook, signature.secret)[0] };
  if (hook.type !== "web" || key !== undefined) return { key, secret: undefined };
  // The command may already read and write everything in NATS.
  const made = await storage.keys.create({ app: hook.app, expires: new Date(Date.now() + KEY_LIFE_MS) }, Date.now());
  return { key: made.key, secret: undefined };
}

interface Answer {
  readonly accepted: boolean;
  readonly text: string;
  /** Of the event or the dead letter. */
  readonly id: string | undefined;
}

async function sendMail(hook: Hook, settings: Settings, body: Buffer | undefined): Promise<Answer> {
  const domain = settings.mailDomain.find((name) => !name.startsWith("*.")) ?? "localhost";
  const address = `${hook.hookId}@${domain}`;
  const mail = body?.toString("latin1") ?? sampleMail(address, new Date());
  const text = mail.replace(/\r?\n/g, "\r\n").replace(/^\./gm, "..");
  const lines = [
    "EHLO localhost",
    "MAIL FROM:<test@localhost>",
    `RCPT TO:<${address}>`,
    "DATA",
    `${text}${text.endsWith("\r\n") ? "" : "\r\n"}.`,
  ];
  const reply = await converse(settings.smtpListen.at, lines);
  return { accepted: reply.startsWith("250"), text: reply, id: /^250 2\.0\.0 (\S+)/.exec(reply)?.[1] };
}

/** Says each line after the reply to the one before; the first refusal, or the last reply, is the answer. */
async function converse(at: ListenAddress, lines: readonly string[]): Promise<string> {
  if (at === "off") throw new OperatorError("the SMTP port is off", "set POSTHORN_SMTP_LISTEN");
  const socket = connect(at);
  socket.setEncoding("latin1").setTimeout(PATIENCE_MS, () => socket.destroy(new Error("no answer")));
  const where = "path" in at ? at.path : `${at.host}:${at.port}`;
  let buffer = "";
  let next = 0;
  try {
    for await (const chunk of socket) {
      buffer += String(chunk);
      const reply = /^(?:\d{3}-[^\n]*\n)*(\d{3} [^\n]*)\n$/.exec(buffer)?.[1]?.trimEnd();
      if (reply === undefined) continue;
      buffer = "";
      const line = lines[next];
      if (!/^[23]/.test(reply) || line === undefined) {
        socket.end("QUIT\r\n");
        return reply;
      }
      socket.write(`${line}\r\n`, "latin1");
      next += 1;
    }
  } catch (error) {
    throw new OperatorError(
      `cannot deliver to ${where}: ${error instanceof Error ? error.message : String(error)}`,
      "is the daemon running? `posthorn serve` or `npm start`",
      { cause: error },
    );
  }
  throw new OperatorError(`${where} closed the connection`, "see the daemon's log");
}

interface Sending {
  readonly body: Buffer;
  readonly contentType: string;
  readonly key: string | undefined;
  /** The first of the hook's signing secrets. */
  readonly secret: string | undefined;
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  xml: "application/xml",
  ndjson: "application/x-ndjson",
  jsonl: "application/x-ndjson",
  txt: "text/plain",
  form: "application/x-www-form-urlencoded",
};

/** By the end of the file's name; JSON for all else. */
const contentTypeOf = (file: string) =>
  CONTENT_TYPES[file.split(".").at(-1)?.toLowerCase() ?? ""] ?? "application/json";

async function sendRequest(hook: Hook, settings: Settings, sending: Sending): Promise<Answer> {
  const { at } = settings.httpListen;
  if (at === "off" || "path" in at) throw new OperatorError("the HTTP port is off", "set POSTHORN_HTTP_LISTEN");
  const host = at.host === "0.0.0.0" ? "127.0.0.1" : at.host.includes(":") ? `[${at.host}]` : at.host;
  const path = `/v1/hooks/${hook.type}/${hook.hookId}`;
  const { body, contentType, key } = sending;
  const signed = signatureOf(hook, sending, `${settings.publicUrl}${path}`);
  try {
    const response = await fetch(`http://${host}:${at.port}${path}`, {
      method: "POST",
      headers: {
        "content-type": contentType,
        accept: "application/json",
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
        ...signed,
      },
      body: new Uint8Array(body),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const text = (await response.text()).trim();
    return { accepted: response.ok, text: `${response.status} ${text}`, id: /"id":"(\w+)"/.exec(text)?.[1] };
  } catch (error) {
    throw new OperatorError(
      `cannot reach ${host}:${at.port}`,
      "is the daemon running? `posthorn serve` or `npm start`",
      { cause: error },
    );
  }
}

/** What the vendor would sign; throws `OperatorError` where only the vendor can. */
function signatureOf(
  hook: Hook,
  { body, contentType, secret }: Sending,
  url: string,
): Readonly<Record<string, string>> {
  const { signature: option } = hook.options;
  if (option === undefined) return {};
  if (secret === undefined)
    throw new OperatorError(`no signing secret of ${hook.eventName} is set here`, "see `posthorn secrets list`");
  const headers = signRequest({ option, secret, body, contentType, url, now: Date.now() });
  if (headers === undefined)
    throw new OperatorError(
      `${option.scheme} is signed with a private key, which only the sender has`,
      "let the provider send a test event",
    );
  return headers;
}
