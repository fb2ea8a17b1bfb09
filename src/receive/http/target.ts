/** What a request is for, its segments decoded; `page` is "" when nothing stands there. */
export interface Target {
  readonly kind: string;
  readonly hookId: string;
  readonly page: string;
}

const PATH = /^\/v1\/hooks\/([^/]+)\/([^/]+)(?:\/([^/]*))?$/;

/**
 * Reads the target of a request, `/v1/hooks/<kind>/<hookId>` with a page behind it or none, also in absolute form.
 * `malformed` when it is no target or an escape is damaged, `undefined` when it is the path of no hook. Never throws.
 *
 * Source: RFC 9112 §3.2; RFC 3986 §2.4: a path is taken apart first, then its segments are decoded.
 */
export function parseTarget(target: string): Target | "malformed" | undefined {
  if (target === "*") return undefined;
  const inOrigin = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, "");
  const [path = ""] = inOrigin.split(/[?#]/, 1);
  if (!path.startsWith("/")) return path === "" && inOrigin !== target ? undefined : "malformed";
  let decoded = path;
  if (path.includes("%")) {
    try {
      decoded = path
        .split("/")
        // What is a slash only when decoded divides nothing, and no name of ours holds one.
        .map((segment) => decodeURIComponent(segment).replaceAll("/", "%2F"))
        .join("/");
    } catch {
      return "malformed";
    }
  }
  const [, kind, hookId, page = ""] = PATH.exec(decoded) ?? [];
  return kind === undefined || hookId === undefined ? undefined : { kind, hookId, page };
}
