import { readFileSync } from "node:fs";

import type { Authenticator } from "@nats-io/transport-node";
import {
  credsAuthenticator,
  nkeyAuthenticator,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from "@nats-io/transport-node";

import { OperatorError } from "../model/operator-error.ts";

/** Who we are for the NATS server; each `…File` is a path. */
export interface NatsCredentials {
  readonly credsFile?: string | undefined;
  /** An nkey seed, or a file that holds one. */
  readonly nkey?: string | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly token?: string | undefined;
}

const SEED = /^SU[A-Z2-7]{56}$/;

/**
 * What answers the server when it asks who we are. A file is read again at each connection, so that credentials that
 * were renewed count without a restart.
 *
 * Throws `OperatorError`, exit code 78, when a file cannot be read or holds no credentials.
 */
export function authenticatorsOf(credentials: NatsCredentials): Authenticator[] {
  const { credsFile, nkey, user, password, token } = credentials;
  const authenticators: Authenticator[] = [];
  if (credsFile !== undefined)
    authenticators.push(fromFile(credsFile, "a credentials file", (bytes) => credsAuthenticator(bytes)));
  if (nkey !== undefined && SEED.test(nkey)) authenticators.push(nkeyAuthenticator(Buffer.from(nkey)));
  else if (nkey !== undefined)
    authenticators.push(
      fromFile(nkey, "an nkey seed", (bytes) => nkeyAuthenticator(Buffer.from(bytes.toString("utf8").trim()))),
    );
  if (user !== undefined) authenticators.push(usernamePasswordAuthenticator(user, password ?? ""));
  if (token !== undefined) authenticators.push(tokenAuthenticator(token));
  return authenticators;
}

function fromFile(file: string, kind: string, make: (bytes: Buffer) => Authenticator): Authenticator {
  let good = firstOf(file, kind, make);
  return (nonce) => {
    try {
      // Synchronous, because the client's authenticators are.
      const renewed = make(readFileSync(file));
      const answer = renewed(nonce);
      good = renewed;
      return answer;
    } catch {
      // Gone or half written just now: the client (nats.js 3.4.0) would close for good if this threw.
      return good(nonce);
    }
  };
}

function firstOf(file: string, kind: string, make: (bytes: Buffer) => Authenticator): Authenticator {
  const bytes = readOrSay(file);
  try {
    const authenticator = make(bytes);
    authenticator("nonce");
    return authenticator;
  } catch (error) {
    throw new OperatorError(`${file} does not hold ${kind}`, "check POSTHORN_NATS_CREDS and POSTHORN_NATS_NKEY", {
      cause: error,
      exitCode: 78,
    });
  }
}

/** The bytes of a file that a setting names. Throws `OperatorError`, exit code 78, when it cannot be read. */
export function readOrSay(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new OperatorError(`cannot read ${file}`, "check the path and its permissions", {
      cause: error,
      exitCode: 78,
    });
  }
}
