import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, expect, test } from "vitest";

import { eventually } from "./support/eventually.ts";
import { freePort } from "./support/free-port.ts";
import { startNatsServer } from "./support/nats-server.ts";

// What is shipped: the steps of the Dockerfile, run in clean folders (there is no engine here to build the image itself),
// and the npm package, installed into a prefix of its own.

const ROOT = join(import.meta.dirname, "..");
const env = {
  ...process.env,
  PATH: `${dirname(process.execPath)}${delimiter}${process.env["PATH"] ?? ""}`,
  CI: "true",
  // The checkout's own installation has just asked the registry for the same packages.
  npm_config_prefer_offline: "true",
};

/** Runs a program to its end; what it said stands in the error when it fails. */
async function run(
  program: string,
  args: readonly string[],
  options: { cwd?: string } = {},
): Promise<{ stdout: string }> {
  try {
    return await promisify(execFile)(program, args, { env, ...options });
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${program} ${args.join(" ")} failed: ${stdout}${stderr}`, { cause: error });
  }
}

interface Step {
  readonly instruction: string;
  readonly text: string;
}

let folder: string;
let build: string;
let image: string;
let stages: Step[][];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "posthorn-package-"));
  [build, image] = [join(folder, "build"), join(folder, "image")];
  stages = stagesOf(await readFile(join(ROOT, "Dockerfile"), "utf8"));
  await Promise.all([build, image].map((path) => mkdir(path)));
  const [buildSteps = [], imageSteps = []] = stages;
  for (const { instruction, text } of buildSteps) {
    if (instruction === "COPY") await copy(text, ROOT, build);
    if (instruction === "RUN" && text.startsWith("npm prune"))
      await run("npm", ["pack", "--ignore-scripts"], { cwd: build });
    if (instruction === "RUN") await run("sh", ["-c", text], { cwd: build });
  }
  for (const { instruction, text } of imageSteps) {
    if (instruction !== "COPY") continue;
    const fromBuild = /^--from=build \/build\/(.*)$/.exec(text)?.[1];
    await copy(fromBuild ?? text, fromBuild === undefined ? ROOT : build, image);
  }
}, 180_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

function stagesOf(dockerfile: string): Step[][] {
  const found: Step[][] = [];
  for (const line of dockerfile.replaceAll("\\\n", " ").split("\n")) {
    const [, instruction = "", text = ""] = /^([A-Z]+)\s+(.*)$/.exec(line.trim()) ?? [];
    if (instruction === "FROM") found.push([]);
    if (instruction !== "") found.at(-1)?.push({ instruction, text: text.trim() });
  }
  return found;
}

async function copy(text: string, from: string, to: string): Promise<void> {
  const words = text.split(/\s+/);
  const target = words.at(-1) ?? "";
  for (const source of words.slice(0, -1))
    await cp(join(from, source), target.endsWith("/") ? join(to, target, source) : join(to, target), {
      recursive: true,
    });
}

test("the image holds dist and what runs, and serves until its stop signal", { timeout: 60_000 }, async () => {
  await using nats = await startNatsServer();
  const admin = await freePort();
  const command = stages[1]?.filter(({ instruction }) => instruction === "ENTRYPOINT" || instruction === "CMD");
  const [program = "", ...args] = (command ?? []).flatMap(({ text }) => JSON.parse(text) as string[]);
  expect([program, ...args]).toEqual(["node", "dist/bin.js", "serve"]);
  const daemon = spawn(process.execPath, [...args, "--apps", "fixtures/apps"], {
    cwd: image,
    env: {
      ...env,
      POSTHORN_NATS_URL: nats.url,
      POSTHORN_DATA_DIR: join(folder, "data"),
      POSTHORN_SMTP_LISTEN: "127.0.0.1:0",
      POSTHORN_HTTP_LISTEN: "127.0.0.1:0",
      POSTHORN_ADMIN_LISTEN: `127.0.0.1:${admin}`,
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let log = "";
  daemon.stderr.setEncoding("utf8").on("data", (text: string) => (log += text));
  try {
    await eventually(async () => {
      const answer = await fetch(`http://127.0.0.1:${admin}/livez`).catch(() => undefined);
      expect(answer?.status, log).toBe(200);
    });
    await runHealthCheck(admin);
  } finally {
    daemon.kill("SIGTERM");
  }
  const [code] = (await once(daemon, "exit")) as [number | null];
  expect(code, log).toBe(0);
});

/** The image's own HEALTHCHECK command, on the port that this test has. */
async function runHealthCheck(port: number): Promise<void> {
  const check = stages[1]?.find(({ instruction }) => instruction === "HEALTHCHECK")?.text ?? "";
  const [, ...args] = JSON.parse(/CMD (\[.*\])$/.exec(check)?.[1] ?? "[]") as string[];
  const onPort = args.map((argument) => argument.replace(":8081", `:${port}`));
  await run(process.execPath, onPort);
  await expect(
    run(
      process.execPath,
      onPort.map((argument) => argument.replace(`:${port}`, ":1")),
    ),
  ).rejects.toThrow();
}

test("the npm package installs into a prefix, with its command and its library", { timeout: 180_000 }, async () => {
  const prefix = join(folder, "prefix");
  const { name, version } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as Record<string, string>;
  await run("npm", [
    "install",
    "--global",
    "--prefix",
    prefix,
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    join(build, `${name}-${version}.tgz`),
  ]);
  const posthorn = join(prefix, "bin", "posthorn");
  expect((await run(posthorn, ["--version"])).stdout.trim()).toBe(version);
  const mail = join(ROOT, "fixtures", "mail", "json-part-digits-beyond-double.eml");
  const { stdout } = await run(posthorn, ["extract", mail, "--json"], { cwd: folder });
  expect(stdout).toContain("12345678901234567890");
  const script = `import { extract } from "posthorn/extract"; const { items } = await extract(Buffer.from('{"a":1.10}')); console.log(items[0].json);`;
  await mkdir(join(folder, "user", "node_modules"), { recursive: true });
  await symlink(join(prefix, "lib", "node_modules", "posthorn"), join(folder, "user", "node_modules", "posthorn"));
  const used = await run(process.execPath, ["--input-type=module", "-e", script], { cwd: join(folder, "user") });
  expect(used.stdout.trim()).toBe('{"a":1.10}');
});
