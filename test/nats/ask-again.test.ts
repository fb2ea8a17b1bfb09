import { errors } from "@nats-io/transport-node";
import { expect, test } from "vitest";

import { askAgain, mayHaveJetStream } from "../../src/nats/ask-again.ts";

const never = () => new Promise<never>(() => undefined);
const after = <T>(ms: number, value: T) => new Promise<T>((resolve) => setTimeout(() => resolve(value), ms));

test("a question that nobody answers is asked again after a second, and the first answer counts", async () => {
  let asked = 0;
  const startedAt = performance.now();
  const answer = await askAgain(() => ((asked += 1) < 3 ? never() : Promise.resolve(asked)));
  expect(answer).toBe(3);
  expect(performance.now() - startedAt).toBeGreaterThan(1_900);
});

test("what is answered late is given away, so that nobody has to look after it", async () => {
  const late: number[] = [];
  let asked = 0;
  const answer = await askAgain(
    () => ((asked += 1) === 1 ? after(1_400, 1) : Promise.resolve(2)),
    (value) => late.push(value),
  );
  expect(answer).toBe(2);
  await expect.poll(() => late).toEqual([1]);
});

test("an election is waited for, a clear answer is not asked for twice", async () => {
  let asked = 0;
  const inElection = () => {
    asked += 1;
    if (asked < 3) return Promise.reject(new errors.NoRespondersError("$JS.API.INFO"));
    return Promise.resolve("leader");
  };
  expect(await askAgain(inElection)).toBe("leader");
  asked = 0;
  const denied = () => {
    asked += 1;
    return Promise.reject(new errors.PermissionViolationError("no", "publish", "$JS.API.INFO"));
  };
  await expect(askAgain(denied)).rejects.toThrow("no");
  expect(asked).toBe(1);
  await expect(askAgain(() => Promise.reject(new errors.ClosedConnectionError()))).rejects.toThrow("closed");
});

test("nobody ever answers: the last error is thrown", async () => {
  let asked = 0;
  const silent = () => {
    asked += 1;
    return after(1_500, undefined).then(() => Promise.reject(new errors.TimeoutError()));
  };
  await expect(askAgain(silent)).rejects.toThrow(errors.TimeoutError);
  expect(asked).toBe(8);
}, 20_000);

test("a server by itself says whether it has JetStream; in a cluster or towards a domain others may have it", () => {
  const info = { jetstream: false } as Parameters<typeof mayHaveJetStream>[0];
  expect(mayHaveJetStream(info, undefined)).toBe(false);
  expect(mayHaveJetStream(info, "hub")).toBe(true);
  expect(mayHaveJetStream({ ...info, cluster: "c" } as typeof info, undefined)).toBe(true);
  expect(mayHaveJetStream(undefined, undefined)).toBe(true);
});
