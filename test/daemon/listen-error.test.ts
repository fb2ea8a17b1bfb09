import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, expect, test } from "vitest";

import { listenError } from "../../src/daemon/listen-error.ts";
import { startTestDaemon } from "../support/daemon.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { startNatsServer } from "../support/nats-server.ts";

// What an operator reads when a listener cannot be opened: what happened, and what to do about it.

const run = promisify(execFile);
let nats: NatsServer;
beforeAll(async () => {
  nats = await startNatsServer();
});
afterAll(() => nats[Symbol.asyncDispose]());

/** What the kernel says to a process without the capability, in a network of its own where no setting waives it. */
async function refusedPort(port: number): Promise<NodeJS.ErrnoException> {
  const code = `require("net").createServer().on("error", (error) => console.log(error.code)).listen(${port}, "0.0.0.0")`;
  const asRoot = ["unshare", "-n", "setpriv", "--bounding-set", "-net_bind_service", process.execPath];
  const [program, ...args] = process.getuid?.() === 0 ? asRoot : [process.execPath];
  const { stdout } = await run(program ?? "", [...args, "-e", code], { timeout: 20_000 });
  return Object.assign(new Error("listen"), { code: stdout.trim() });
}

test("a port below 1024 without the capability: what to grant, and what to redirect", async () => {
  const at = { host: "0.0.0.0", port: 25 };
  const error = listenError({ what: "smtp", at, variable: "POSTHORN_SMTP_LISTEN" }, await refusedPort(25));
  expect(error.message).toBe("cannot listen for smtp on 0.0.0.0:25: port 25 needs privileges (EACCES)");
  expect(error.hint).toBe(
    "grant the capability CAP_NET_BIND_SERVICE (systemd: AmbientCapabilities=CAP_NET_BIND_SERVICE), or set POSTHORN_SMTP_LISTEN=0.0.0.0:2525 and redirect port 25 to it",
  );
});

const doors = ["SMTP", "LMTP", "SMTPS", "HTTP", "ADMIN"] as const;
test.each(doors)(
  "the %s listener names its setting: an address of nobody, a port in use, a folder that is missing",
  async (door) => {
    const variable = `POSTHORN_${door}_LISTEN`;
    const certificate = door === "SMTPS" ? await certificateSettings() : {};
    const start = async (address: string) => {
      const posthorn = await startTestDaemon(nats, { ...certificate, [variable]: address }).catch(
        (error: unknown) => error,
      );
      if (posthorn instanceof Error) return posthorn;
      throw new Error(`it listens on ${address}`);
    };
    expect(await start("192.0.2.1:2525")).toMatchObject({
      message: expect.stringContaining("on 192.0.2.1:2525: this machine does not have that address (EADDRNOTAVAIL)"),
      hint: `set ${variable} to another address`,
    });
    expect(await start(`127.0.0.1:${nats.port}`)).toMatchObject({
      message: expect.stringContaining("the port is in use (EADDRINUSE)"),
      hint: expect.stringContaining(`or set ${variable} to another address`),
    });
    expect(await start("unix:/nowhere/posthorn.sock")).toMatchObject({
      message: expect.stringContaining("on unix:/nowhere/posthorn.sock: EACCES"),
      hint: `check that its folder exists and that this user may write to it; or set ${variable} to another address`,
    });
  },
);

async function certificateSettings(): Promise<Record<string, string>> {
  const { makeCertificate, writeCertificate } = await import("../support/certificate.ts");
  return writeCertificate(join(nats.folder), makeCertificate("hooks.example"));
}
