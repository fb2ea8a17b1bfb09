import { errors } from "@nats-io/transport-node";

import { OperatorError } from "../model/operator-error.ts";

// Node's and OpenSSL's codes for a peer that could not be believed, or that did not speak TLS.
const TLS_CODE = /^(?:ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_|EPROTO$)/;
const SECRETS = "POSTHORN_NATS_CREDS, …_NKEY, …_USER and …_PASSWORD or …_TOKEN";

/** What was tried. */
export interface ConnectAttempt {
  /** Without credentials. */
  readonly urls: string;
  readonly wantsTls: boolean;
  readonly ownPasswordFile: string | undefined;
}

/** Says in one line why the first connection to NATS failed, and what to do. */
export function connectError({ urls, wantsTls, ownPasswordFile }: ConnectAttempt, error: unknown): OperatorError {
  if (error instanceof OperatorError) return error;
  if (isRefusal(error)) {
    const own =
      ownPasswordFile === undefined
        ? ""
        : `; the password of a server that \`npm start\` runs is in ${ownPasswordFile} (POSTHORN_DATA_DIR), for the user who runs it`;
    return new OperatorError(`NATS at ${urls} refuses our credentials`, `check ${SECRETS}${own}`, { cause: error });
  }
  const code = codeOf(error);
  if (code !== undefined && TLS_CODE.test(code)) {
    return new OperatorError(
      `no TLS connection to NATS at ${urls}: ${code}`,
      "set POSTHORN_NATS_CA to the authority that signed the server's certificate, and POSTHORN_NATS_CERT and …_KEY where the server asks for ours",
      { cause: error },
    );
  }
  // The client says so with a bare ConnectionError; a refused connection has its cause.
  if (wantsTls && error instanceof errors.ConnectionError && error.cause === undefined) {
    return new OperatorError(
      `NATS at ${urls} does not speak TLS`,
      "switch TLS on in the server, or leave out tls://, POSTHORN_NATS_CA, …_CERT and …_KEY",
      { cause: error },
    );
  }
  return new OperatorError(
    `no NATS server answers at ${urls}${code === undefined ? "" : ` (${code})`}`,
    "start one, or set POSTHORN_NATS_URL; `npm start` starts one by itself",
    { cause: error },
  );
}

/** Whether the server has answered, with no. */
export function isRefusal(error: unknown): boolean {
  return error instanceof errors.AuthorizationError || error instanceof errors.UserAuthenticationExpiredError;
}

function codeOf(error: unknown): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ("code" in cause && typeof cause.code === "string") return cause.code;
  }
  return undefined;
}
