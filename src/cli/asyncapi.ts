import { Command } from "commander";

import { asyncApiOf } from "../event/async-api.ts";
import { withStorage } from "./context.ts";
import { printJson } from "./print.ts";

/** `posthorn asyncapi`: the installed hooks as an AsyncAPI 3 document. Always JSON. */
export function asyncApiCommand(): Command {
  return new Command("asyncapi")
    .description("AsyncAPI 3 document of the installed hooks")
    .addHelpText("after", "\nExample:\n  posthorn asyncapi > posthorn.asyncapi.json")
    .action(async (_options, command: Command) => {
      const version = command.parent?.version() ?? "";
      const document = await withStorage(async ({ snapshot }, settings) => {
        // Credentials in an address are nobody else's business.
        const natsHosts = settings.natsUrl
          .split(",")
          .map((url) => (url.includes("://") ? (URL.parse(url)?.host ?? "") : url));
        return asyncApiOf(snapshot.hooks(), { version, natsHosts });
      });
      printJson(document);
    });
}
