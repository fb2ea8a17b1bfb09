import fc from "fast-check";

/** Numbers whose digits a double would change, beside plain ones. */
const number = fc.oneof(
  fc.integer().map(String),
  fc.constantFrom("12345678901234567890", "1.10", "1.0", "-0", "1e400", "0.1e-7", "100E+2", "9007199254740993"),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
);
const string = fc.oneof(
  fc.string({ unit: "binary" }).map((value) => JSON.stringify(value)),
  fc.constantFrom('"\\ud800"', '"</b> & <i>"', '"a\\/b"', '"\\u0041"', '"{not: json}"', '"-->"', '"__proto__"'),
);
const scalar = fc.oneof(number, string, fc.constantFrom("true", "false", "null"));
const name = fc.oneof(
  fc.constantFrom('"__proto__"', '"constructor"', '"2"', '"1"', '"a"', '"\\u0061"', '"@id"', '""'),
  fc.string().map((value) => JSON.stringify(value)),
);

const { value } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    scalar,
    fc.array(tie("value"), { maxLength: 4 }).map((items) => `[${items.join(", ")}]`),
    fc
      .array(fc.tuple(name, tie("value")), { maxLength: 4 })
      .map((members) => `{${members.map(([key, inner]) => `${key}: ${inner}`).join(",\n ")}}`),
  ),
}));

/** Any JSON text: digits beyond doubles, names that stand twice, `__proto__`, halves of surrogate pairs. */
export const anyJson: fc.Arbitrary<string> = value;

/** Any JSON text that is an object with a member or an array of objects, as prose needs it. */
export const anyJsonObject: fc.Arbitrary<string> = fc.tuple(name, value).map(([key, inner]) => `{${key}: ${inner}}`);
