import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import Provider from "oidc-provider";

/** An OpenID Connect provider on loopback; whoever signs in as `ada` is in the groups given for her. */
export interface TestProvider extends AsyncDisposable {
  readonly issuer: string;
}

export const CLIENT = { id: "posthorn", secret: "a-client-secret-for-tests" };

/** Starts a provider that knows one client. Its pages ask for a name and take any password. */
export async function startProvider(
  redirectUri: string,
  groupsOf: Readonly<Record<string, readonly string[]>>,
): Promise<TestProvider> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        redirect_uris: [redirectUri],
        grant_types: ["authorization_code"],
        response_types: ["code"],
      },
    ],
    claims: { openid: ["sub"], profile: ["name", "groups"], email: ["email"] },
    cookies: { keys: ["a-key-for-tests"] },
    pkce: { required: () => true },
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({ sub: id, name: id, email: `${id}@example.org`, groups: [...(groupsOf[id] ?? [])] }),
    }),
  });
  const answer = provider.callback();
  server.on("request", (request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  return {
    issuer,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
