import { createHash, randomBytes } from "node:crypto";
import { request as httpRequest } from "node:http";

import { afterAll, beforeAll, expect, test } from "vitest";

import type { Hook } from "../../src/model/hook.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { startTestDaemon, storedIn } from "../support/daemon.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";

const MB = 1024 * 1024;
let nats: NatsServer;
let posthorn: TestDaemon;
let form: Hook;
let dropping: Hook;
beforeAll(async () => {
  nats = await startNatsServer();
  posthorn = await startTestDaemon(nats, {
    POSTHORN_MAX_UPLOAD_BYTES: String(8 * MB),
    POSTHORN_MAX_BODY_BYTES: "100000",
  });
  [form, dropping] = (await posthorn.install([
    { eventName: "kustomer.app.shop.apply", type: "form" },
    { eventName: "kustomer.app.shop.drop", type: "form", "x-posthorn": { attachments: "drop" } },
  ])) as [Hook, Hook];
});
afterAll(async () => {
  await posthorn[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

interface FileOf {
  readonly field: string;
  readonly filename: string;
  readonly mediaType: string;
  readonly size: number;
  readonly sha256: string;
  readonly object: string | null;
}
const urlOf = ({ type, hookId }: Hook) => `http://${posthorn.daemon.http.address}/v1/hooks/${type}/${hookId}`;
const lastData = async () => {
  const stored = (await storedIn(posthorn, "POSTHORN_EVENTS")).at(-1);
  return (JSON.parse(stored?.text ?? "") as { data: { payload: unknown; files: FileOf[] } }).data;
};
const objectChunks = async () =>
  (await posthorn.daemon.storage.jsm.streams.info("OBJ_posthorn_objects")).state.messages;

test("files of a form stand in the Object Store, and the event names them with type, size and SHA-256", async () => {
  const photo = randomBytes(3 * MB);
  const body = new FormData();
  body.append("name", "Grüße");
  body.append("photo", new Blob([photo], { type: "image/png" }), "Ünder way.png");
  body.append("empty", new Blob([]), "empty.txt");
  const response = await fetch(urlOf(form), { method: "POST", body });
  expect(response.status).toBe(202);
  const { payload, files } = await lastData();
  expect(payload).toEqual({ name: "Grüße" });
  expect(files).toMatchObject([
    {
      field: "photo",
      filename: "Ünder way.png",
      mediaType: "image/png",
      size: photo.length,
      sha256: createHash("sha256").update(photo).digest("hex"),
    },
    { field: "empty", filename: "empty.txt", mediaType: "application/octet-stream", size: 0 },
  ]);
  const kept = await posthorn.daemon.storage.objects.getBlob(files[0]?.object ?? "");
  expect(Buffer.from(kept ?? []).equals(photo)).toBe(true);
});

test("a file is on its way into the store before the sender has sent its end", async () => {
  const before = await objectChunks();
  const head = '--b\r\nContent-Disposition: form-data; name="f"; filename="big.bin"\r\n\r\n';
  const sending = httpRequest(urlOf(form), {
    method: "POST",
    headers: { "content-type": "multipart/form-data; boundary=b" },
  });
  const answered = new Promise<number>((resolve, reject) => {
    sending.on("response", (response) => resolve(response.resume().statusCode ?? 0)).on("error", reject);
  });
  sending.write(head);
  sending.write(randomBytes(2 * MB));
  while ((await objectChunks()) < before + 8) await new Promise((resolve) => setTimeout(resolve, 20));
  sending.end("\r\n--b--\r\n");
  expect(await answered).toBe(202);
  expect((await lastData()).files[0]?.size).toBe(2 * MB);
});

test("a post over the limit, one without end, and too long fields are refused and leave no object", async () => {
  const before = await objectChunks();
  const big = new FormData();
  big.append("a", new Blob([randomBytes(5 * MB)]), "a.bin");
  big.append("b", new Blob([randomBytes(5 * MB)]), "b.bin");
  expect((await fetch(urlOf(form), { method: "POST", body: big })).status).toBe(413);
  const headers = { "content-type": "multipart/form-data; boundary=b" };
  const file = '--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n';
  const cut = await fetch(urlOf(form), { method: "POST", headers, body: `${file}${"x".repeat(MB)}` });
  expect(cut.status).toBe(400);
  expect(((await cut.json()) as { detail: string }).detail).toContain("ends before its closing boundary");
  const long = `${file}x\r\n--b\r\nContent-Disposition: form-data; name="t"\r\n\r\n${"y".repeat(200_000)}\r\n--b--\r\n`;
  expect((await fetch(urlOf(form), { method: "POST", headers, body: long })).status).toBe(413);
  while ((await objectChunks()) > before + 10) await new Promise((resolve) => setTimeout(resolve, 20));
});

test("a stream over the limit without a length is stopped at the limit", async () => {
  const sending = httpRequest(urlOf(form), {
    method: "POST",
    headers: { "content-type": "multipart/form-data; boundary=b" },
  });
  const answered = new Promise<number>((resolve, reject) => {
    sending.on("response", (response) => resolve(response.resume().statusCode ?? 0)).on("error", reject);
  });
  sending.write('--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n');
  for (let sent = 0; sent < 9; sent += 1) sending.write(Buffer.alloc(MB));
  expect(await answered).toBe(413);
  sending.destroy();
});

test("a hook that keeps no files gets their names and hashes all the same", async () => {
  const body = new FormData();
  body.append("cv", new Blob(["hello"], { type: "text/plain" }), "cv.txt");
  expect((await fetch(urlOf(dropping), { method: "POST", body })).status).toBe(202);
  const sha256 = createHash("sha256").update("hello").digest("hex");
  expect((await lastData()).files).toEqual([
    { field: "cv", filename: "cv.txt", mediaType: "text/plain", size: 5, sha256, object: null },
  ]);
});

test("a file input that nobody filled is no file", async () => {
  const body =
    '--b\r\nContent-Disposition: form-data; name="f"; filename=""\r\nContent-Type: application/octet-stream\r\n\r\n\r\n--b--';
  const headers = { "content-type": "multipart/form-data; boundary=b" };
  expect((await fetch(urlOf(form), { method: "POST", headers, body })).status).toBe(202);
  expect(await lastData()).toMatchObject({ payload: {}, files: [] });
});
