import { isMainThread } from "node:worker_threads";

import { collector } from "../../src/engine/shared-garbage.ts";

// Loaded into the daemon whose memory a soak watches. Left to itself V8 gives memory back at its own big collections, which
// at a soak's load are more than twenty minutes apart (seen: 96, 51 and 89 MB of pages, with the same 26 MB in use): a
// slope over half an hour would tell where it stands between two of them. What stays behind a collection is what leaks raise.

const EVERY_MS = 5_000;

if (isMainThread) setInterval(collector(), EVERY_MS).unref();
