import type { FastifyInstance, FastifyRequest } from "fastify";

import { OperatorError } from "../model/operator-error.ts";

/** Posts of plain HTML forms, files too, as `FormData`: what a page can do without scripts. */
export function readForms(server: FastifyInstance): void {
  server.addContentTypeParser(
    ["application/x-www-form-urlencoded", "multipart/form-data"],
    { parseAs: "buffer" },
    async (request: FastifyRequest, body: Buffer) => {
      const headers = { "content-type": request.headers["content-type"] ?? "" };
      try {
        return await new Response(new Uint8Array(body), { headers }).formData();
      } catch (error) {
        throw new OperatorError("the form could not be read", "send it again", { cause: error });
      }
    },
  );
}

/** The fields of a posted form; none when something else was posted. */
export function formOf(request: FastifyRequest): FormData {
  return request.body instanceof FormData ? request.body : new FormData();
}

/** A text field; "" when it is missing. */
export function textField(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === "string" ? value : "";
}

/** What was chosen as a file, or typed or pasted instead; the file wins. */
export async function fileOrText(form: FormData, fileName: string, textName: string): Promise<Uint8Array> {
  const file = form.get(fileName);
  if (file instanceof File && file.size > 0) return new Uint8Array(await file.arrayBuffer());
  return Buffer.from(textField(form, textName));
}
