import fc from "fast-check";
import { expect, test } from "vitest";
import { SetlistError } from "../../src/domain/error.ts";
import type { Experiment } from "../../src/domain/experiment.ts";
import {
  compileAssigner,
  parseExperimentDocument,
  revise,
  validateExperiment,
} from "../../src/experiments/experiments.ts";
import { experimentWith, servedHouse } from "../support/experiments.ts";

const valid = {
  id: "exp",
  kind: "ab",
  description: "",
  surface: "home",
  layer: "other",
  unit: "user",
  salt: "exp",
  traffic: 0.5,
  status: "running",
  arms: [
    { id: "control", control: true, weight: 1, model: { name: "home-control" } },
    {
      id: "kd",
      weight: 1,
      model: { name: "home-kd", version: "1" },
      valueModel: { kind: "weighted-sum", weights: { click: 1 } },
      cost: 0.25,
    },
  ],
  targeting: "user.country in ['DE', 'AT'] && context.device == 'ios'",
  prerequisites: [{ experiment: "first", arms: ["treated"] }],
  sticky: false,
  overrides: { "qa-1": "kd" },
  metrics: [{ id: "completions", type: "mean", outcome: "completion", aggregate: "count", role: "primary" }],
  stratify: ["user.country", "context.device"],
  attributionWindow: "7d",
  counterfactual: { share: 0.1, topK: 5 },
};

const mate = experimentWith({ id: "mate", layer: "other", traffic: 0.4 });
const first = experimentWith({ id: "first", layer: "ranker" });
const asking = experimentWith({
  id: "asking",
  layer: "third",
  prerequisites: [{ experiment: "exp", arms: ["kd"] }],
});
const others: readonly Experiment[] = [mate, first, asking];
const context = { ...servedHouse, others };

const expression = fc
  .array(
    fc.constantFrom(
      ...[
        "user",
        ".",
        "country",
        "age",
        "context.device",
        "==",
        "&&",
        "||",
        "!",
        "(",
        ")",
        "[",
        "]",
        ",",
        "in",
      ],
      ...[
        "'x'",
        "1",
        "1.0",
        "2u",
        "null",
        "+",
        "/0",
        "?",
        ":",
        ".all(x,",
        ".map(x,",
        "x",
        "matches",
        "size(",
        "has(",
      ],
      ...[
        "b'a'",
        "duration('1s')",
        "timestamp(",
        "{'a': 1}",
        "type(",
        "dyn(",
        "'(a+)+'",
        "__proto__",
        "@result",
        '"',
      ],
    ),
    { maxLength: 12 },
  )
  .map((tokens) => tokens.join(" "));
const replacement = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    0,
    -0,
    -1,
    1,
    2,
    0.5,
    1e-7,
    1e308,
    5e-324,
    Number.NaN,
    Infinity,
  ),
  fc.constantFrom<unknown>(
    "",
    "kd",
    "control",
    "exp",
    "mate",
    "first",
    "other",
    "ranker",
    "user.age",
    "user.x",
  ),
  fc.constantFrom<unknown>(
    "interleave",
    "interleaved",
    "session",
    "context.device",
    "radio",
    "radio-kd",
    "draft",
  ),
  fc.constantFrom<unknown>(
    "stopped",
    "paused",
    "layer:x",
    "holdout:x",
    "__proto__",
    "constructor",
    "\ud800",
    "\0",
  ),
  fc.constantFrom<unknown>([], {}, [null], [[]], { __proto__: null, a: 1 }, JSON.parse('{"__proto__":"kd"}')),
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.double(),
  expression,
  fc.jsonValue(),
);

/** Where a change goes, as shares of what there is at each level, and what it puts there. */
const mutation = fc.record({
  way: fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 1, maxLength: 5 }),
  how: fc.constantFrom("replace", "replace", "replace", "remove", "add", "repeat"),
  name: fc.constantFrom(
    "id",
    "x",
    "weight",
    "label",
    "targeting",
    "__proto__",
    "constructor",
    "toString",
    "1",
    "",
  ),
  value: replacement,
});
type Mutation = typeof mutation extends fc.Arbitrary<infer M> ? M : never;

function mutate(value: unknown, { way: [share = 0, ...way], ...rest }: Mutation): unknown {
  if (typeof value !== "object" || value === null) return rest.value;
  const keys = Object.keys(value);
  const key = keys[Math.floor(share * keys.length)];
  const entries = Object.entries(value);
  const part = (value as Record<string, unknown>)[key ?? ""];
  const isHere = way.length === 0 || key === undefined || typeof part !== "object" || part === null;
  const changed = entries.flatMap(([name, one]): [string, unknown][] => {
    if (name !== key) return [[name, one]];
    if (!isHere) return [[name, mutate(one, { ...rest, way })]];
    if (rest.how === "remove") return [];
    if (rest.how === "repeat")
      return [
        [name, one],
        [name, one],
      ];
    return [[name, rest.how === "replace" ? rest.value : one]];
  });
  if (isHere && rest.how === "add") changed.push([rest.name, rest.value]);
  return Array.isArray(value) ? changed.map(([, one]) => one) : Object.fromEntries(changed);
}

test("whatever a document says, it is refused with a reason or compiles", () => {
  let accepted = 0;
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 3 }), (mutations) => {
      const written = mutations.reduce<unknown>(mutate, valid);
      let next: Experiment;
      try {
        const document = parseExperimentDocument(written, "body");
        validateExperiment(document, context);
        next = revise(undefined, document, others);
      } catch (error) {
        expect(error).toBeInstanceOf(SetlistError);
        expect(error).toMatchObject({
          code: "INVALID_ARGUMENT",
          message: expect.stringMatching(/^.{1,256}: ./s),
        });
        return;
      }
      accepted++;
      const assigner = compileAssigner([...others, next]);
      const user = { country: "DE", age: 3 };
      for (const unit of ["u1", "u2", "qa-1"]) {
        const facts = { user, context: { device: "ios" } };
        const decided = assigner.explain("home", unit, facts).filter(({ arm }) => arm !== undefined);
        const assigned = assigner.assign("home", unit, facts);
        expect(assigned.map(({ experiment, arm }) => [experiment, arm])).toEqual(
          decided.map(({ experiment, arm }) => [experiment, arm]),
        );
      }
    }),
    { numRuns: Number(process.env["MUTATIONS"] ?? 3_000) },
  );
  expect(accepted).toBeGreaterThan(100);
});
