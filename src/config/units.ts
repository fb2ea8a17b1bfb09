const DURATION_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads `250ms`, `10s`, `5m`, `24h` or `7d` as milliseconds. Never throws; undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit = ""] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text.trim()) ?? [];
  const factor = DURATION_UNITS[unit];
  return amount === undefined || factor === undefined ? undefined : Number(amount) * factor;
}

/** Where a listener listens: host and port, a Unix socket, or nowhere. */
export type ListenAddress = { readonly host: string; readonly port: number } | { readonly path: string } | "off";

/** Reads `127.0.0.1:2525`, `[::1]:25`, `:2525`, `unix:/path` or `off`. Never throws; undefined when it is none. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  if (text === "off" || text === "") return "off";
  if (text.startsWith("unix:/")) return { path: text.slice("unix:".length) };
  const [, bracketed, bare, portText] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]]*)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(portText);
  if (portText === undefined || port > 65_535) return undefined;
  return { host: bracketed ?? (bare === undefined || bare === "" ? "0.0.0.0" : bare), port };
}
