import * as client from "openid-client";

import type { Person, Role } from "./session.ts";

/** How people sign in at a provider instead of by the token. */
export interface OidcOptions {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  /** The claim whose values give a role, such as `groups`. */
  readonly claim: string;
  readonly roles: readonly { readonly role: Role; readonly value: string }[];
}

/** What has to come back from the provider; kept in the browser, signed. */
export interface OidcAttempt {
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
  readonly next: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

/** Who came back; `undefined` role: known to the provider, and nothing here is for that person. */
export type OidcVisitor = Person | { readonly name: string; readonly role: undefined };

const SCOPES = "openid profile email";
const RANKED: readonly Role[] = ["administrator", "operator", "viewer"];

/**
 * Sign-in by OpenID Connect: authorization code with PKCE, state and nonce.
 *
 * The provider is asked for its configuration at the first sign-in, not at the start: it may be away while mail is taken.
 * Source: OpenID Connect Core 1.0 §3.1; RFC 7636; RFC 9700.
 */
export class OidcSignIn {
  readonly #options: OidcOptions;
  readonly #redirectUri: string;
  #configuration: client.Configuration | undefined;

  constructor(options: OidcOptions, adminUrl: string) {
    this.#options = options;
    this.#redirectUri = `${adminUrl}/login/oidc/callback`;
  }

  /** Where to send the browser, and what to compare with when it comes back. Throws when the provider is away. */
  async begin(next: string, now: number): Promise<{ readonly location: string; readonly attempt: OidcAttempt }> {
    const configuration = await this.#configure();
    const codeVerifier = client.randomPKCECodeVerifier();
    const attempt = {
      state: client.randomState(),
      nonce: client.randomNonce(),
      codeVerifier,
      next,
      startedAt: now,
    };
    const location = client.buildAuthorizationUrl(configuration, {
      redirect_uri: this.#redirectUri,
      scope: SCOPES,
      code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
      code_challenge_method: "S256",
      state: attempt.state,
      nonce: attempt.nonce,
    });
    return { location: location.href, attempt };
  }

  /** Who came back with this query. Throws when anything does not match. */
  async finish(query: string, attempt: OidcAttempt): Promise<OidcVisitor> {
    const configuration = await this.#configure();
    const tokens = await client.authorizationCodeGrant(configuration, new URL(`${this.#redirectUri}${query}`), {
      pkceCodeVerifier: attempt.codeVerifier,
      expectedState: attempt.state,
      expectedNonce: attempt.nonce,
      idTokenExpected: true,
    });
    const fromToken = tokens.claims();
    if (fromToken === undefined) throw new Error("the provider sent no ID token");
    const hasMore = configuration.serverMetadata().userinfo_endpoint !== undefined;
    const claims: Readonly<Record<string, unknown>> = {
      ...(hasMore && (await client.fetchUserInfo(configuration, tokens.access_token, fromToken.sub))),
      ...fromToken,
    };
    return { name: nameOf(claims), role: this.#roleOf(claims[this.#options.claim]) } as OidcVisitor;
  }

  async #configure(): Promise<client.Configuration> {
    const { issuer, clientId, clientSecret } = this.#options;
    const url = new URL(issuer);
    // Tokens in the clear only to this machine.
    const isOwn = ["127.0.0.1", "[::1]", "localhost"].includes(url.hostname);
    const execute = url.protocol === "http:" && isOwn ? [client.allowInsecureRequests] : [];
    return (this.#configuration ??= await client.discovery(url, clientId, clientSecret, undefined, { execute }));
  }

  /** The highest role that a value of the claim gives. */
  #roleOf(claim: unknown): Role | undefined {
    const values: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
    return RANKED.find((wanted) =>
      this.#options.roles.some(({ role, value }) => role === wanted && values.includes(value)),
    );
  }
}

const MOST_CHARACTERS = 100;
function nameOf(claims: Readonly<Record<string, unknown>>): string {
  const name = [claims["email"], claims["preferred_username"], claims["name"], claims["sub"]].find(
    (claim) => typeof claim === "string" && claim !== "",
  );
  return String(name).slice(0, MOST_CHARACTERS);
}
