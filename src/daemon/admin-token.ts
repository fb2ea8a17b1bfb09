import { keptSecret } from "../config/kept-secret.ts";
import type { Settings } from "../config/settings.ts";

/**
 * The admin token: the setting, or the one in the data directory, which is made when it is missing (mode 0600).
 *
 * Throws `OperatorError` when the file can be neither read nor written, holds no token, or is open to other users.
 */
export async function adminToken(settings: Settings): Promise<{ readonly token: string; readonly file?: string }> {
  if (settings.adminToken.value !== undefined) return { token: settings.adminToken.value };
  const { secret, file } = await keptSecret(settings.dataDir, {
    name: "admin-token",
    what: "the admin token",
    hint: "set POSTHORN_ADMIN_TOKEN, or POSTHORN_DATA_DIR to a folder that can be written",
  });
  return { token: secret, file };
}
