import { randomBytes } from "node:crypto";
import { link, mkdir, readFile, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { Settings } from "../config/settings.ts";
import { OperatorError } from "../model/operator-error.ts";

const FILE = "admin-token";
const TOKEN_BYTES = 32;
const LEAST_CHARACTERS = 16;

/**
 * The admin token: the setting, or the one in the data directory, which is made when it is missing (mode 0600).
 *
 * Throws `OperatorError` when the file can be neither read nor written, or holds no token.
 */
export async function adminToken(settings: Settings): Promise<{ readonly token: string; readonly file?: string }> {
  if (settings.adminToken.value !== undefined) return { token: settings.adminToken.value };
  const file = join(settings.dataDir, FILE);
  try {
    const token = (await readIfThere(file)) ?? (await make(settings.dataDir, file));
    if (token.length < LEAST_CHARACTERS)
      throw new OperatorError(
        `${file} holds no token of at least ${LEAST_CHARACTERS} characters`,
        "delete it, and a new one is made",
      );
    return { token, file };
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    throw new OperatorError(
      `the admin token cannot be kept in ${file}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`,
      "set POSTHORN_ADMIN_TOKEN, or POSTHORN_DATA_DIR to a folder that can be written",
      { cause: error },
    );
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Written aside and linked into place, so that nobody reads half a token. */
async function make(folder: string, file: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const token = randomBytes(TOKEN_BYTES).toString("base64url");
  const aside = `${file}.${process.pid}.${randomBytes(4).toString("hex")}`;
  await writeFile(aside, `${token}\n`, { mode: 0o600, flag: "wx" });
  try {
    await link(aside, file);
    return token;
  } catch (error) {
    // Another process on the same directory was quicker: its token counts.
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return (await readFile(file, "utf8")).trim();
    throw error;
  } finally {
    await unlink(aside);
  }
}
