// Contract §5, and `hmac`, `cookie` and `bearer`, which the same things are called too.
const CREDENTIAL_NAME =
  /auth|cookie|token|secret|key|signature|session|assertion|principal|credential|pwd|passw|sig|jwt|hmac|bearer/i;
/** Our own keys, and what begins like the value of an Authorization field (RFC 6750 §2.1, RFC 7617 §2). */
const CREDENTIAL_VALUE = /phk_[0-9a-z]{8,32}_|^\s*bearer\s+[A-Za-z0-9._~+/=-]{8,}\s*$/i;
const BASIC = /^\s*basic\s+([A-Za-z0-9+/_-]{4,}={0,2})\s*$/i;
const USER_IN_URL = /:\/\/[^\s/@]{1,300}@/g;
/** A parameter in a URL, be it in its query or its fragment. */
const PARAMETER = /([?&;#])([^=&;#?\s"'<>]{1,100})=([^&;#\s"'<>]+)/g;

/** Whether what goes by this name may be a credential: a header field, a query parameter, a CloudEvents attribute. */
export function isCredentialName(name: string): boolean {
  return CREDENTIAL_NAME.test(name);
}

/**
 * A value without credentials; `undefined` when it is one itself, whatever its name: a JWT, an API key of ours, or the
 * value of an Authorization field. Of a URL the user, and parameters whose names say so, are cut. Linear.
 */
export function withoutCredentials(value: string): string | undefined {
  if (holdsJwt(value) || CREDENTIAL_VALUE.test(value)) return undefined;
  const [, basic] = BASIC.exec(value) ?? [];
  if (basic !== undefined && Buffer.from(basic, "base64").includes(":")) return undefined;
  if (!value.includes("=") && !value.includes("@")) return value;
  return value
    .replace(USER_IN_URL, "://…@")
    .replace(PARAMETER, (whole, mark: string, name: string) => (isCredentialName(name) ? `${mark}${name}=…` : whole));
}

/**
 * Whether a JWT stands anywhere in a text: a JSON object in base64url, and two more parts behind dots (RFC 7519 §3; an
 * encrypted one has four, RFC 7516 §3.1). What begins `{"` is taken for the object without a look at the rest.
 */
function holdsJwt(text: string): boolean {
  if (!/e[wy]/.test(text)) return false;
  return (text.match(/[A-Za-z0-9_.-]+/g) ?? []).some((word) => {
    const at = word.indexOf("eyJ");
    if (at >= 0 && dotsIn(word.slice(at)) >= 2) return true;
    return dotsIn(word) >= 2 && isJsonObject(word.slice(0, word.indexOf(".")));
  });
}

function dotsIn(word: string): number {
  return word.split(".", 3).length - 1;
}

function isJsonObject(base64url: string): boolean {
  if (!/^e[wy]/.test(base64url)) return false;
  try {
    return typeof JSON.parse(Buffer.from(base64url, "base64url").toString("utf8")) === "object";
  } catch {
    // A word that happens to begin like one, such as a host name.
    return false;
  }
}
