import type { ListenAddress } from "../config/units.ts";
import { OperatorError } from "../model/operator-error.ts";

const FIRST_UNPRIVILEGED_PORT = 1_024;
/** What the well-known port of each listener is redirected to. */
const UNPRIVILEGED_OFFSET = { 24: 2424, 25: 2525, 80: 8080, 443: 8443, 465: 4650, 587: 5870 } as const;

/** `host:port` or `unix:/path`. */
export function addressInWords(at: Exclude<ListenAddress, "off">): string {
  return "path" in at ? `unix:${at.path}` : `${at.host.includes(":") ? `[${at.host}]` : at.host}:${at.port}`;
}

/** Why a listener could not be opened, and what to do about it; `variable` is the setting that names its address. */
export function listenError(
  {
    what,
    at,
    variable,
  }: { readonly what: string; readonly at: Exclude<ListenAddress, "off">; readonly variable: string },
  error: unknown,
): OperatorError {
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  const [why, hint] = reasonOf(code, at, variable);
  return new OperatorError(`cannot listen for ${what} on ${addressInWords(at)}: ${why}`, hint, { cause: error });
}

function reasonOf(
  code: string,
  at: Exclude<ListenAddress, "off">,
  variable: string,
): readonly [why: string, hint: string] {
  const another = `set ${variable} to another address`;
  if ("path" in at)
    return code === "EADDRINUSE"
      ? [code, `stop the process that listens there, or delete the socket when none does; or ${another}`]
      : // Node says EACCES for a folder that is missing, too (libuv 1.51, uv_pipe_bind).
        [code, `check that its folder exists and that this user may write to it; or ${another}`];
  switch (code) {
    case "EACCES":
      return at.port < FIRST_UNPRIVILEGED_PORT
        ? [`port ${at.port} needs privileges (${code})`, privilegesHint(at, variable)]
        : [code, `something on this machine, such as SELinux, does not allow it; ${another}`];
    case "EADDRINUSE":
      return [
        `the port is in use (${code})`,
        `stop the process that listens there, perhaps another Posthorn; or ${another}`,
      ];
    case "EADDRNOTAVAIL":
      return [`this machine does not have that address (${code})`, another];
    default:
      return [code, another];
  }
}

/** Source: capabilities(7), CAP_NET_BIND_SERVICE; systemd.exec(5), AmbientCapabilities. */
function privilegesHint({ host, port }: { readonly host: string; readonly port: number }, variable: string): string {
  const other = UNPRIVILEGED_OFFSET[port as keyof typeof UNPRIVILEGED_OFFSET] ?? port + 10_000;
  return (
    "grant the capability CAP_NET_BIND_SERVICE (systemd: AmbientCapabilities=CAP_NET_BIND_SERVICE), " +
    `or set ${variable}=${addressInWords({ host, port: other })} and redirect port ${port} to it`
  );
}
