import type { ApiCall } from "./call.ts";
import { API_ROOT } from "./call.ts";

const PROBLEM = {
  description: "What is wrong (RFC 9457)",
  content: {
    "application/problem+json": {
      schema: {
        type: "object",
        properties: { title: { type: "string" }, status: { type: "integer" }, detail: { type: "string" } },
      },
    },
  },
} as const;

/**
 * The API as an OpenAPI document.
 *
 * Source: OpenAPI Specification 3.1.1.
 */
export function openApi(calls: readonly ApiCall[]): Readonly<Record<string, unknown>> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const call of calls) {
    const path = `${API_ROOT}${call.path.replace(/:(\w+)/g, "{$1}")}`;
    (paths[path] ??= {})[call.method.toLowerCase()] = operationOf(call);
  }
  return {
    openapi: "3.1.1",
    info: {
      title: "Posthorn admin API",
      version: "1",
      description: "Everything that the admin page can see and do. Send the admin token as a Bearer token.",
    },
    security: [{ token: [] }],
    components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } },
    paths,
  };
}

function operationOf({ method, path, summary, role, query, body, status = 200 }: ApiCall): unknown {
  return {
    operationId: `${method.toLowerCase()}${path.replace(/[/:-]+(\w)/g, (_, letter: string) => letter.toUpperCase())}`,
    summary,
    description: `For the role ${role} and above.`,
    parameters: [...pathParameters(path), ...queryParameters(query)],
    ...(body !== undefined && { requestBody: { required: true, content: { "application/json": { schema: body } } } }),
    responses: { [status]: { description: status === 204 ? "Done" : "The answer, JSON" }, default: PROBLEM },
  };
}

const pathParameters = (path: string): unknown[] =>
  [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));

function queryParameters(query: ApiCall["query"]): unknown[] {
  const properties = (query as { readonly properties?: Readonly<Record<string, unknown>> } | undefined)?.properties;
  return Object.entries(properties ?? {}).map(([name, schema]) => ({ name, in: "query", schema }));
}
