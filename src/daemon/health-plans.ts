import type { Settings } from "../config/settings.ts";
import { askAgain } from "../nats/ask-again.ts";
import { isNotFound } from "../nats/missing-streams.ts";
import { planDifferences } from "../nats/plan-differences.ts";
import { BACKING_STREAMS, STREAMS } from "../nats/stream-names.ts";
import type { HealthCheck } from "./health.ts";
import { streamSettingsOf } from "./nats-settings.ts";
import type { Storage } from "./storage.ts";

/** Which streams are missing, or otherwise than the settings say, and the command for each. Throws what the client throws. */
export async function differencesCheck({ jsm }: Pick<Storage, "jsm">, settings: Settings): Promise<HealthCheck> {
  const names = [...Object.values(STREAMS), ...Object.values(BACKING_STREAMS)];
  const infos = await Promise.all(
    names.map((stream) =>
      askAgain(() => jsm.streams.info(stream)).catch((error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw error;
      }),
    ),
  );
  const name = "stream settings";
  const missing = names.filter((_, index) => infos[index] === undefined);
  if (missing.length > 0)
    return {
      name,
      ok: false,
      detail: `not in NATS: ${missing.join(", ")}. \`posthorn serve\` creates them when it starts`,
    };
  const configs = infos.flatMap((info) => info?.config ?? []);
  const differences = planDifferences(configs, streamSettingsOf(settings));
  if (differences.length === 0)
    return { name, ok: true, detail: "copies, ages, window and placement of every stream are those of the settings" };
  return {
    name,
    ok: true,
    warning: true,
    detail: differences.map(({ stream, what, command }) => `${stream}: ${what}; \`${command}\``).join(". "),
  };
}
