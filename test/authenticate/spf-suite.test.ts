import { join } from "node:path";

import { expect, test } from "vitest";

import { suite } from "../conformance/suites/spf.ts";
import { unpackedDebianSource } from "../support/debian-package.ts";

const LEAST_CASES = 200;

test(
  "openspf's whole suite for RFC 7208 gives its verdicts, but for what is argued",
  { timeout: 300_000 },
  async () => {
    const source = await unpackedDebianSource("pyspf");
    let cases = 0;
    const wrong: string[] = [];
    for await (const one of suite.cases(join(source, "test"))) {
      cases += 1;
      const verdict = await one.run();
      if (verdict.kind === "fail") wrong.push(one.name);
    }
    expect(cases).toBeGreaterThan(LEAST_CASES);
    expect(wrong.toSorted((a, b) => a.localeCompare(b))).toEqual(
      Object.keys(suite.argued).toSorted((a, b) => a.localeCompare(b)),
    );
  },
);
