import { startNatsServer } from "../support/nats-server.ts";
import type { Contestant } from "./contestant.ts";
import { startPeer, startPosthorn } from "./contestant.ts";
import { cpuMsOf } from "./cpu-time.ts";
import { fetchPackage } from "./fetch-peers.ts";
import type { HttpLoad, HttpLoadResult } from "./load/http.ts";
import { flagValue } from "./flags.ts";
import type { Row } from "./rounds.ts";
import { generate, interleave, ratiosOf, report, spreadOf } from "./rounds.ts";

// Web hook, 2 KB of JSON, 64 connections, the event acknowledged before 202: Posthorn with its key check beside fastify and
// Express programs without one. Run: npm run bench -- http [--rounds 5] [--ms 1500] [--peers FOLDER]
const rounds = Number(flagValue("--rounds") ?? 5);
const forMs = Number(flagValue("--ms") ?? 1_500);
const WARM_UP_REQUESTS = 6_000;
const WARM_UP_MS = 60_000;
const CONNECTIONS = 64;

await using nats = await startNatsServer();
await using opened = new AsyncDisposableStack();
const posthorn = opened.use(
  await startPosthorn(nats.url, {
    hooks: [{ eventName: "kustomer.app.shop.ping", displayEventName: "Ping", type: "web" }],
  }),
);
const { key } = (await posthorn.command("keys", "create", "--app", "shop")) as { readonly key: string };
const express = opened.use(await fetchPackage("express@5.2.1", flagValue("--peers")));
const contestants: readonly (Contestant & { readonly path: string; readonly headers: string })[] = [
  {
    name: "posthorn",
    pid: posthorn.pid,
    port: posthorn.httpPort,
    target: "",
    path: new URL(posthorn.addressOf("kustomer.app.shop.ping")).pathname,
    headers: `Authorization: Bearer ${key}\r\n`,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  },
  peerOf(opened.use(await startPeer("fastify", "obvious-fastify.ts", [nats.url], "/hook"))),
  peerOf(opened.use(await startPeer("express", "obvious-express.cjs", [nats.url, express.folder], "/hook"))),
];
const results = await interleave(
  contestants.map(({ name }) => name),
  rounds,
  async (name, round) => {
    const contestant = contestants.find((each) => each.name === name);
    if (contestant === undefined) throw new Error(`no contestant ${name}`);
    const { port, path, headers, pid } = contestant;
    const load: HttpLoad = {
      port,
      path,
      headers,
      connections: CONNECTIONS,
      forMs: round === 0 ? WARM_UP_MS : forMs,
      ...(round === 0 && { requests: WARM_UP_REQUESTS }),
    };
    const cpuBefore = cpuMsOf(pid);
    const result = await generate<HttpLoadResult>("http.ts", load);
    if (result.failed > 0) throw new Error(`${name} failed ${result.failed} times: ${result.firstFailure}`);
    return { ...result, cpuMicroseconds: ((cpuMsOf(pid) - cpuBefore) * 1_000) / result.requests };
  },
);
const rows: Row[] = [];
const rates = (name: string) => (results.get(name) ?? []).map(({ requestsPerSecond }) => requestsPerSecond);
const costs = (name: string) => (results.get(name) ?? []).map(({ cpuMicroseconds }) => cpuMicroseconds);
for (const { name } of contestants) {
  rows.push({ what: `${name}, 64 connections`, measured: spreadOf(rates(name)), unit: "req/s" });
  rows.push({ what: `${name}, CPU time of a request`, measured: spreadOf(costs(name)), unit: "us" });
}
for (const [name, target] of [
  ["fastify", 1],
  ["express", 1.25],
] as const) {
  rows.push({ what: `posthorn / ${name}`, measured: ratiosOf(rates("posthorn"), rates(name)), target });
  rows.push({ what: `CPU time: ${name} / posthorn`, measured: ratiosOf(costs(name), costs("posthorn")) });
}
await report("http", rows);

function peerOf(peer: Contestant): Contestant & { readonly path: string; readonly headers: string } {
  const { name, pid, port, target } = peer;
  return { name, pid, port, target, path: target, headers: "", [Symbol.asyncDispose]: () => Promise.resolve() };
}
