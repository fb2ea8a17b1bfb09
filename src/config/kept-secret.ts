import { randomBytes } from "node:crypto";
import { fstatSync, openSync, closeSync, readFileSync } from "node:fs";
import { link, mkdir, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { OperatorError } from "../model/operator-error.ts";

const SECRET_BYTES = 32;
const LEAST_CHARACTERS = 16;
/** Reading and writing by everybody. A group is the operator's choice: orchestrators open volumes to one (`fsGroup`). */
const OPEN_TO_OTHERS = 0o006;

/** A secret that Posthorn makes for itself, in a file of the data directory. */
export interface KeptSecret {
  readonly secret: string;
  readonly file: string;
}

/**
 * The secret in the file `name` of the data directory, made when it is missing (mode 0600).
 *
 * Throws `OperatorError` when others may read the file, or it holds no secret, or can be neither read nor written; `hint`
 * says what to do about the last.
 */
export async function keptSecret(
  dataDir: string,
  { name, what, hint }: { readonly name: string; readonly what: string; readonly hint: string },
): Promise<KeptSecret> {
  const file = join(dataDir, name);
  try {
    return { file, secret: readSecret(file) ?? (await make(dataDir, file)) };
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    throw new OperatorError(
      `${what} cannot be kept in ${file}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`,
      hint,
      { cause: error },
    );
  }
}

/**
 * The secret in `file`; undefined when there is none. Throws `OperatorError` when others may read it or it is too short,
 * and what `open` throws.
 */
export function readSecret(file: string): string | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(file, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    // Of what was opened, so that nobody changes it between the look and the read.
    const mode = fstatSync(descriptor).mode & 0o777;
    if ((mode & OPEN_TO_OTHERS) !== 0)
      throw new OperatorError(
        `${file} is open to other users (mode ${mode.toString(8).padStart(4, "0")})`,
        `run \`chmod 600 ${file}\`; if somebody may have read it, delete it, and a new one is generated at the next start`,
        { exitCode: 78 },
      );
    const secret = readFileSync(descriptor, "utf8").trim();
    if (secret.length < LEAST_CHARACTERS)
      throw new OperatorError(
        `${file} holds fewer than ${LEAST_CHARACTERS} characters`,
        "delete it, and a new one is generated at the next start",
      );
    return secret;
  } finally {
    closeSync(descriptor);
  }
}

/** Written aside and linked into place, so that nobody reads half a secret. */
async function make(folder: string, file: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const secret = randomBytes(SECRET_BYTES).toString("base64url");
  const aside = `${file}.${process.pid}.${randomBytes(4).toString("hex")}`;
  await writeFile(aside, `${secret}\n`, { mode: 0o600, flag: "wx" });
  try {
    await link(aside, file);
    return secret;
  } catch (error) {
    // Another process on the same directory was quicker: its secret counts.
    const theirs = (error as NodeJS.ErrnoException).code === "EEXIST" ? readSecret(file) : undefined;
    if (theirs === undefined) throw error;
    return theirs;
  } finally {
    await unlink(aside);
  }
}
