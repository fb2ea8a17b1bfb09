import { readFile, readdir } from "node:fs/promises";
import { join, relative, sep } from "node:path";

import { describe, expect, test } from "vitest";

import { withTables } from "./support/readme-tables.ts";

// The rules of the house: who may import whom, where each package has its door, and tables that stand in two places.

const ROOT = join(import.meta.dirname, "..");
const SRC = join(ROOT, "src");

/** Rooms that each room may import beside itself, `lib`, and, but for `lib`, `telemetry` and `model`, those two. */
const MAY_IMPORT: Readonly<Record<string, readonly string[] | "every room">> = {
  lib: [],
  model: [],
  telemetry: [],
  config: [],
  parse: [],
  extract: [],
  event: [],
  authenticate: [],
  nats: [],
  receive: [],
  admin: [],
  engine: ["parse", "extract", "authenticate", "event"],
  publish: ["nats"],
  registry: ["nats"],
  pipeline: ["engine", "parse", "extract", "authenticate", "event", "publish"],
  daemon: "every room",
  cli: "every room",
};
const EVERYBODYS = ["lib", "model", "telemetry"];
/** Pure rooms: time, randomness, sockets and files are arguments. */
const PURE = ["model", "parse", "extract", "event"];
const IMPURE_MODULES = /^node:(?:fs|net|tls|dns|http|https|child_process|worker_threads|timers|os|process)\b/;

/** The rooms that may import a package. */
const DOORS: Readonly<Record<string, readonly string[]>> = {
  "smtp-server": ["receive/smtp"],
  fastify: ["admin"],
  cheerio: ["extract"],
  jsonld: ["extract"],
  parse5: ["extract"],
  htmlparser2: ["extract"],
  "activitystreams-context": ["extract"],
  "iconv-lite": ["parse"],
  saxes: ["parse"],
  mailauth: ["authenticate"],
  tldts: ["authenticate"],
  "openid-client": ["admin"],
  commander: ["cli", "main.ts"],
  pino: ["telemetry"],
  "pino-pretty": ["telemetry"],
  "@nats-io/": ["nats", "publish", "registry"],
};

interface SourceFile {
  /** Path below `src`, with `/`. */
  readonly path: string;
  readonly room: string;
  readonly text: string;
  readonly imports: readonly string[];
}

const files = await sourceFiles();

async function sourceFiles(): Promise<SourceFile[]> {
  const names = await readdir(SRC, { recursive: true });
  return Promise.all(
    names
      .filter((name) => name.endsWith(".ts") || name.endsWith(".js"))
      .map(async (name) => {
        const path = name.replaceAll(sep, "/");
        const text = await readFile(join(SRC, name), "utf8");
        const imports = [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(([, target]) => target ?? "");
        return { path, room: path.includes("/") ? (path.split("/")[0] ?? "") : "", text, imports };
      }),
  );
}

/** The room that a relative import leads to; "" for files that lie in `src` itself. */
function roomOf(file: SourceFile, target: string): string {
  const inside = relative(SRC, join(SRC, file.path, "..", target)).replaceAll(sep, "/");
  return inside.includes("/") ? (inside.split("/")[0] ?? "") : "";
}

describe("rooms", () => {
  test("every folder of src is a room with a rule", () => {
    const rooms = [...new Set(files.map(({ room }) => room))].filter((room) => room !== "");
    expect(rooms.toSorted((a, b) => a.localeCompare(b))).toEqual(
      Object.keys(MAY_IMPORT).toSorted((a, b) => a.localeCompare(b)),
    );
  });

  test("no room imports another one that it may not", () => {
    const wrong = files.flatMap((file) => {
      const allowed = MAY_IMPORT[file.room];
      if (allowed === undefined || allowed === "every room") return [];
      const everybodys = file.room === "lib" || file.room === "telemetry" ? ["lib"] : EVERYBODYS;
      return file.imports
        .filter((target) => target.startsWith("."))
        .filter((target) => ![file.room, ...everybodys, ...allowed].includes(roomOf(file, target)))
        .map((target) => `${file.path} imports ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  test("the library imports only what is pure", () => {
    const library = files.find(({ path }) => path === "library.ts");
    const rooms = library?.imports.filter((target) => target.startsWith(".")).map((target) => roomOf(library, target));
    expect(rooms?.filter((room) => !["parse", "extract", "model", "lib"].includes(room))).toEqual([]);
  });

  test("pure rooms know no sockets, disk or clock", () => {
    const wrong = files
      .filter(({ room }) => PURE.includes(room))
      .flatMap(({ path, text, imports }) => [
        ...imports.filter((target) => IMPURE_MODULES.test(target)).map((target) => `${path} imports ${target}`),
        ...(/\bDate\.now\(\)|\bMath\.random\(\)|\bnew Date\(\)|\bsetTimeout\(|\bprocess\.env\b/.test(text)
          ? [`${path} asks for the time, chance or the environment`]
          : []),
      ]);
    expect(wrong).toEqual([]);
  });

  test("a package has its doors, and its habits stay behind them", () => {
    const wrong = files.flatMap(({ path, imports }) =>
      imports.flatMap((target) => {
        const [, doors] = Object.entries(DOORS).find(([name]) => target === name || target.startsWith(`${name}/`)) ??
          Object.entries(DOORS).find(([name]) => name.endsWith("/") && target.startsWith(name)) ?? ["", undefined];
        if (doors === undefined) return [];
        return doors.some((door) => path === door || path.startsWith(`${door}/`)) ? [] : [`${path} imports ${target}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  test("no file only passes on what others export, and none is called utils", () => {
    const wrong = files.filter(
      ({ path, text }) =>
        /(?:^|\/)(?:utils?|helpers?|common|misc|index)\.[tj]s$/.test(path) || /^export \* from/m.test(text),
    );
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });
});

describe("the main thread", () => {
  /** What is inside a message is read in engine threads; these files are their side of the house. */
  const OF_THREADS = (path: string) =>
    path.startsWith("extract/") || ["parse/mail.ts", "authenticate/mail.ts", "engine/thread.ts"].includes(path);

  test("reaches none of the code that looks inside a message, by imports of values, late ones included", () => {
    const cameFrom = new Map([["daemon/start.ts", ""]]);
    for (const path of cameFrom.keys()) {
      const file = files.find((each) => each.path === path);
      const text = file?.text.replace(/^import type [^;]*;$/gm, "") ?? "";
      for (const [, target = ""] of text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)) {
        const inside = relative(SRC, join(SRC, path, "..", target)).replaceAll(sep, "/");
        if (!cameFrom.has(inside)) cameFrom.set(inside, path);
      }
    }
    expect(cameFrom.size).toBeGreaterThan(100);
    expect([...cameFrom].filter(([path]) => OF_THREADS(path)).map(([path, by]) => `${by} imports ${path}`)).toEqual([]);
  });
});

describe("tables that stand in two places", () => {
  test("the README's tables are those in code; `npm run readme` writes them", async () => {
    const readme = await readFile(join(ROOT, "README.md"), "utf8");
    expect(readme).toBe(withTables(readme));
  });

  test("CONTRIBUTING names every package that the program depends on", async () => {
    const { dependencies } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as {
      dependencies: Record<string, string>;
    };
    const text = await readFile(join(ROOT, "CONTRIBUTING.md"), "utf8");
    expect(Object.keys(dependencies).filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });
});
