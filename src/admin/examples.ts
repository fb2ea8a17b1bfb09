import { formSnippet } from "./form-snippet.ts";
import { sampleMail } from "./samples.ts";
import type { AdminHook } from "./services.ts";

/** Something to paste, with what it is for. */
export interface Example {
  readonly title: string;
  readonly text: string;
  /** Offered as a file under this name, too. */
  readonly fileName?: string;
}

/** Where the doors are, as this machine reaches them. */
export interface Doors {
  /** `host:port` of the SMTP door; undefined when it is off. */
  readonly smtp: string | undefined;
}

/** Ready-to-paste ways to reach a hook; none for those who may not see where it is reached. */
export function examplesOf(hook: AdminHook, doors: Doors, now: Date): Example[] {
  if (hook.address !== undefined) return mailExamples(hook.address, doors, now);
  const { url } = hook;
  if (url === undefined) return [];
  return hook.type === "form" ? formExamples(url, hook.options.honeypot) : webExamples(url, hook.app);
}

function mailExamples(address: string, { smtp }: Doors, now: Date): Example[] {
  const mail = sampleMail(address, now);
  const [, domain = ""] = address.split("@");
  return [
    { title: "A sample mail", text: mail, fileName: "sample.eml" },
    ...(smtp === undefined
      ? []
      : [
          {
            title: "Send it with curl",
            text: `curl --crlf --mail-from orders@shop.example --mail-rcpt ${address} --upload-file sample.eml smtp://${smtp}`,
          },
          {
            title: "Postfix: one line in the transport map",
            text: `${domain}    smtp:[${smtp.replace(/:\d+$/, "")}]:${smtp.split(":").at(-1)}`,
          },
        ]),
  ];
}

function formExamples(url: string, honeypot: string): Example[] {
  return [
    { title: "A form for your page", text: formSnippet(url, honeypot), fileName: "form.html" },
    { title: "With curl", text: `curl -d email=you@example.org -d message=hello ${url}` },
  ];
}

function webExamples(url: string, app: string): Example[] {
  return [
    { title: "Make a key once", text: `posthorn keys create --app ${app}` },
    {
      title: "With curl",
      text: `curl -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' -d '{"orderNumber":"1001"}' ${url}`,
    },
  ];
}
