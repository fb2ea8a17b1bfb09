import type { Settings } from "../config/settings.ts";
import type { HealthCheck } from "./health.ts";

const PATIENCE_MS = 2_000;
/** Checks that only the daemon can make: what it has tried. */
const ITS_OWN: ReadonlySet<string> = new Set(["publishing"]);

interface Ready {
  readonly ready: boolean;
  readonly checks: readonly HealthCheck[];
}

/** What the daemon on this machine says of itself at `/readyz`: whether it takes mail, and what it last could not store. */
export async function checkDaemon({ adminListen: { at } }: Settings): Promise<HealthCheck[]> {
  const name = "daemon";
  if (at === "off") return [{ name, ok: true, detail: "not asked: POSTHORN_ADMIN_LISTEN is off" }];
  const where =
    "path" in at ? at.path : `${at.host === "0.0.0.0" || at.host === "::" ? "localhost" : at.host}:${at.port}`;
  const said = await readyz(at).catch((error: unknown) => (error as NodeJS.ErrnoException).code ?? String(error));
  if (typeof said === "string")
    return [
      { name, ok: true, detail: `none answers at ${where} (${said}), so what it last could not store is not known` },
    ];
  const wrong = said.checks.filter(({ ok }) => !ok).map((check) => `${check.name}: ${check.detail}`);
  return [
    said.ready
      ? { name, ok: true, detail: `the one at ${where} takes mail` }
      : { name, ok: false, detail: `the one at ${where} is not ready. ${wrong.join(". ") || "It is about to stop"}` },
    ...said.checks.filter((check) => ITS_OWN.has(check.name)),
  ];
}

function readyz(at: { readonly host: string; readonly port: number } | { readonly path: string }): Promise<Ready> {
  const { request } = process.getBuiltinModule("node:http");
  const anywhere = { "0.0.0.0": "127.0.0.1", "::": "::1" } as Readonly<Record<string, string>>;
  const to = "path" in at ? { socketPath: at.path } : { host: anywhere[at.host] ?? at.host, port: at.port };
  return new Promise((resolve, reject) => {
    const asking = request({ ...to, path: "/readyz", timeout: PATIENCE_MS }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("error", reject);
      response.on("end", () => {
        try {
          const { ready, checks } = JSON.parse(text) as Partial<Ready>;
          if (typeof ready !== "boolean" || !Array.isArray(checks)) throw new Error("no Posthorn");
          resolve({ ready, checks });
        } catch {
          reject(new Error("it is no Posthorn"));
        }
      });
    });
    asking.on("timeout", () => asking.destroy(new Error("no answer")));
    asking.on("error", reject);
    asking.end();
  });
}
