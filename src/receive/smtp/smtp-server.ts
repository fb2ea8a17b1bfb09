import { createRequire } from "node:module";

import type { SMTPServer as Server } from "smtp-server";
import type { SMTPConnection as Connection } from "smtp-server/lib/smtp-connection.js";
import type { SMTPStream as Stream } from "smtp-server/lib/smtp-stream.js";

// As CommonJS: its ES modules reach `node:http` through nodemailer, and an import of that loads Node's fetch too, 50 ms and
// 13 MB that nothing here uses (smtp-server 3.21.6, Node 24.21).
const require = createRequire(import.meta.url);

export const { SMTPServer } = require("smtp-server") as { readonly SMTPServer: typeof Server };
export const { SMTPConnection } = require("smtp-server/lib/smtp-connection.js") as {
  readonly SMTPConnection: typeof Connection;
};
export const { SMTPStream } = require("smtp-server/lib/smtp-stream.js") as { readonly SMTPStream: typeof Stream };
