import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "vitest";

import { OperatorError } from "../../src/model/operator-error.ts";
import { lockDataDirectory } from "../../src/nats/data-lock.ts";
import { temporaryFolder } from "../support/folder.ts";
import { NodeScript } from "../support/node-script.ts";

/** A process that takes the lock and says how that went. */
function holder(folder: string): NodeScript {
  return new NodeScript(`
    import { lockDataDirectory } from "./src/nats/data-lock.ts";
    setInterval(() => {}, 1000);
    lockDataDirectory(${JSON.stringify(folder)}).then(() => console.log("locked"), (error) => console.log(error.message));
  `);
}

test("a second Posthorn on the same data directory is told so, until the first one ends", async () => {
  await using folder = await temporaryFolder();
  {
    await using _first = await lockDataDirectory(folder.path);
    await expect(lockDataDirectory(folder.path)).rejects.toThrow(OperatorError);
    await expect(lockDataDirectory(folder.path)).rejects.toThrow(
      `another Posthorn uses the data directory ${folder.path}`,
    );
  }
  await using _second = await lockDataDirectory(folder.path);
});

test("a stopped Posthorn still holds its data directory", async () => {
  await using folder = await temporaryFolder();
  await using first = holder(folder.path);
  expect(await first.firstLine()).toBe("locked");
  first.signal("SIGSTOP");
  await expect(lockDataDirectory(folder.path)).rejects.toThrow("another Posthorn");
});

test("of three that find the lock of a killed Posthorn, one takes it over", async () => {
  await using folder = await temporaryFolder();
  const first = holder(folder.path);
  expect(await first.firstLine()).toBe("locked");
  await first.kill("SIGKILL");
  const attempts = await Promise.allSettled([1, 2, 3].map(() => lockDataDirectory(folder.path)));
  const taken = attempts.filter((attempt) => attempt.status === "fulfilled");
  expect(taken).toHaveLength(1);
  await Promise.all(taken.map(({ value }) => value[Symbol.asyncDispose]()));
  expect(await readdir(folder.path)).toEqual([]);
});

test("a data directory whose path is too long for a socket is locked as well", async () => {
  await using folder = await temporaryFolder();
  const deep = join(folder.path, "d".repeat(120));
  await mkdir(deep);
  {
    await using _first = await lockDataDirectory(deep);
    await expect(lockDataDirectory(deep)).rejects.toThrow("another Posthorn");
    // Not in the folder of temporary files, where any other user could take its name first.
    expect(await readdir(deep)).toEqual(["posthorn.lock"]);
  }
  expect(await readdir(deep)).toEqual([]);
});

test("the lock of a killed Posthorn is taken over where the path is too long for a socket, too", async () => {
  await using folder = await temporaryFolder();
  const deep = join(folder.path, "d".repeat(120));
  const first = holder(deep);
  expect(await first.firstLine()).toBe("locked");
  await first.kill("SIGKILL");
  await using _second = await lockDataDirectory(deep);
});
