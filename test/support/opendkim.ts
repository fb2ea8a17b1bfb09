import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { spawnBound } from "../../src/nats/spawn-bound.ts";
import { libraryPath, unpackedDebianPackage } from "./debian-package.ts";
import { freePort } from "./free-port.ts";
import type { SigningKey } from "./signed-mail.ts";

const START_TIMEOUT_MS = 20_000;

/** A real OpenDKIM that signs what a Postfix hands it as its milter, with `key` for mail of the key's domain. */
export async function startOpenDkim(key: SigningKey): Promise<AsyncDisposable & { readonly milter: string }> {
  const root = await unpackedDebianPackage("opendkim");
  const folder = await mkdtemp(join(tmpdir(), "posthorn-opendkim-"));
  const port = await freePort();
  await writeFile(join(folder, "key.pem"), key.pem, { mode: 0o600 });
  const settings = {
    Mode: "s",
    Domain: key.domain,
    Selector: key.selector,
    KeyFile: join(folder, "key.pem"),
    Canonicalization: "relaxed/simple",
    SignatureAlgorithm: "rsa-sha256",
    Socket: `inet:${port}@127.0.0.1`,
    InternalHosts: "0.0.0.0/0",
    PidFile: join(folder, "pid"),
    RequireSafeKeys: "no",
    Syslog: "no",
  };
  const config = join(folder, "opendkim.conf");
  await writeFile(
    config,
    Object.entries(settings)
      .map(([name, value]) => `${name} ${value}\n`)
      .join(""),
  );
  const log = join(folder, "log");
  const program = join(root, "usr/sbin/opendkim");
  const child = spawnBound("/usr/bin/env", [`LD_LIBRARY_PATH=${libraryPath(root)}`, program, "-f", "-x", config], {
    logFile: log,
    endSignal: "TERM",
  });
  for (const deadline = Date.now() + START_TIMEOUT_MS; !(await isListening(port));) {
    if (child.exitCode !== null || Date.now() > deadline)
      throw new Error(`OpenDKIM did not start: ${await readFile(log, "utf8").catch(() => "")}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    milter: `inet:127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, "exit");
        child.kill("SIGTERM");
        await ended;
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => (socket.destroy(), resolve(true))).once("error", () => resolve(false));
  });
}
