import type { Storage } from "../../src/daemon/storage.ts";
import { readAppDefinition } from "../../src/registry/app-definition.ts";

/** One web hook and a key that opens it. */
export async function installWebHook(storage: Storage): Promise<{ readonly path: string; readonly key: string }> {
  const definition = JSON.stringify({ app: "web", hooks: [{ eventName: "kustomer.app.web.order", type: "web" }] });
  const reading = readAppDefinition(definition, "soak.json");
  if (reading.kind === "invalid") throw new Error("the definition is invalid");
  const { hooks } = await storage.registry.install(reading.definition);
  const { key } = await storage.keys.create({ app: "web", expires: null }, Date.now());
  return { path: `/v1/hooks/web/${hooks[0]?.hookId}`, key };
}
