import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadExperimentDocuments } from "../../src/config/experiment-files.ts";
import {
  parseExperimentDocument,
  parseMetricFilter,
  validateExperiment,
} from "../../src/experiments/experiments.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const click = { id: "clicks", type: "mean", outcome: "click" };

function checked(changes: object) {
  const document = parseExperimentDocument(
    {
      id: "exp",
      surface: "home",
      layer: "ranker",
      arms: [
        { id: "control", control: true, model: { name: "a" } },
        { id: "kd", model: { name: "b" } },
      ],
      ...changes,
    },
    "document",
  );
  const attributes = { user: { tenure: "number", country: "string" }, context: {} } as const;
  validateExperiment(document, { others: [], attributes });
  return document;
}
const withMetric = (changes: object) => checked({ metrics: [{ ...click, ...changes }] }).metrics[0];

test("a metric from before there was more to say of it says the same", () => {
  expect(withMetric({})).toEqual({
    ...click,
    aggregate: "count",
    goal: "increase",
    role: "secondary",
  });
  expect(checked({}).plan).toBeUndefined();
});

test("what a metric may say is kept as it was written", () => {
  const said = {
    type: "ratio",
    aggregate: "sum",
    filter: "outcome.value > 0.5 && item.features.genre in ['jazz', 'soul']",
    denominator: { outcome: "play", aggregate: "count", filter: "item.position <= 3" },
    window: "7d",
    minimumEffect: 0.01,
    margin: 0.02,
    covariate: "28d",
  };
  expect(withMetric(said)).toMatchObject(said);
  expect(withMetric({ type: "quantile", quantile: 0.95 })).toMatchObject({ aggregate: "quantile" });
  expect(withMetric({ winsorise: 0.99, covariate: "user.tenure" })).toMatchObject({ winsorise: 0.99 });
  expect(withMetric({ type: "ratio", denominator: { aggregate: "requests" } })?.denominator).toEqual({
    aggregate: "requests",
  });
});

describe("a metric is refused, with field and reason:", () => {
  test.each<[string, object, string]>([
    ["a ratio of nothing", { type: "ratio" }, "metrics[0].denominator: expected what a ratio's"],
    [
      "a mean of a ratio",
      { denominator: { outcome: "x" } },
      "metrics[0].denominator: expected none for a mean",
    ],
    [
      "a denominator without outcomes",
      { type: "ratio", denominator: {} },
      "metrics[0].denominator.outcome: expected",
    ],
    [
      "requests within a window",
      { type: "ratio", denominator: { aggregate: "requests" }, window: "1d" },
      "metrics[0].window: expected none over a denominator of requests",
    ],
    ["a quantile of no share", { type: "quantile" }, "metrics[0].quantile: expected which one"],
    ["a share of a mean", { quantile: 0.5 }, "metrics[0].quantile: expected none for a mean"],
    ["a capped proportion", { type: "proportion", winsorise: 0.9 }, "metrics[0].winsorise: expected none"],
    [
      "a text as covariate",
      { covariate: "user.country" },
      "metrics[0].covariate: expected a number or a bool",
    ],
    ["an unknown attribute", { covariate: "user.tenur" }, 'did you mean "user.tenure"?'],
    ["a past of years", { covariate: "999d" }, "metrics[0].covariate: expected at most 365d"],
    ["no CEL", { filter: "outcome.value >" }, "metrics[0].filter: not a CEL expression"],
    ["an unknown field", { filter: "outcome.valu > 1.0" }, 'no outcome.valu (did you mean "outcome.value"?)'],
    [
      "a comparison that never holds",
      { filter: "outcome.value == 'x'" },
      "a number is never compared with a text",
    ],
    [
      "what is neither true nor false",
      { filter: "outcome.value" },
      "metrics[0].filter: column 8: expected an expression",
    ],
    ["what SQL has not", { filter: "outcome.type.matches('a+')" }, 'no function "matches"'],
    ["arithmetic", { filter: "outcome.value + 1.0 > 2.0" }, "no + in a metric's filter"],
  ])("%s", (_, changes, message) => {
    expect(() => withMetric(changes)).toThrow(message);
  });

  test("a past of what is no user", () => {
    expect(() => checked({ unit: "session", metrics: [{ ...click, covariate: "7d" }] })).toThrow(
      "metrics[0].covariate: expected none or an attribute where the unit is session",
    );
  });
});

describe("a plan is refused, with field and reason:", () => {
  test.each<[string, object, string]>([
    ["one look at no time", { kind: "fixed" }, "plan: expected units or end"],
    ["a day that is none", { kind: "fixed", end: "2026-02-31" }, "plan.end: expected a date"],
    ["an hour that is none", { kind: "fixed", end: "2026-02-28T99:00Z" }, "plan.end: expected a date"],
    ["looks without units", { kind: "group-sequential", looks: [0.5, 1] }, "plan: expected units and looks"],
    [
      "looks that go back",
      { kind: "group-sequential", units: 100, looks: [0.5, 0.4, 1] },
      "plan.looks[1]: expected",
    ],
    [
      "a last look before the end",
      { kind: "group-sequential", units: 100, looks: [0.5] },
      "the last one to be 1",
    ],
    [
      "spending without looks",
      { kind: "fixed", units: 100, spending: "pocock" },
      "plan.spending: expected none",
    ],
    ["an end of what has none", { kind: "always-valid", end: "2026-12-24" }, "plan.end: expected none"],
  ])("%s", (_, plan, message) => {
    expect(() => checked({ plan })).toThrow(message);
  });
});

test("a filter's && and || take an error as CEL does: as NULL", () => {
  expect(parseMetricFilter("has(item.features.new) && !(item.id == 't1')", "filter")).toMatchObject({
    kind: "and",
    terms: [{ kind: "has" }, { kind: "not" }],
  });
  expect(parseMetricFilter("-1 < item.features.age", "filter")).toMatchObject({
    left: { value: -1 },
    right: { kind: "feature", type: "number" },
  });
});

describe("shared metrics", () => {
  const document = (metrics: string) => `
id: exp
surface: home
layer: ranker
arms: [{ id: control, control: true, model: { name: a } }, { id: kd, model: { name: b } }]
metrics: ${metrics}
`;
  const folderOf = async (metrics: string, shared: string): Promise<string> => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "exp.yaml"), document(metrics));
    await writeFile(join(folder, "metrics.shared.yaml"), shared);
    return folder;
  };
  const shared = "metrics: [{ id: clicks, type: mean, outcome: click, winsorise: 0.99 }]";

  test("are used by name, and what stands beside the name goes over them", async () => {
    const folder = await folderOf("[{ use: clicks, role: primary }]", shared);
    expect(loadExperimentDocuments(folder).map(({ metrics }) => metrics)).toEqual([
      [{ ...click, aggregate: "count", goal: "increase", role: "primary", winsorise: 0.99 }],
    ]);
  });

  test("that are not there are named, with the file, the line and the nearest", async () => {
    const folder = await folderOf("[{ use: click }]", shared);
    expect(() => loadExperimentDocuments(folder)).toThrow(
      /exp\.yaml:6: metrics\[0\]\.use: no shared metric "click" \(did you mean "clicks"\?\)/,
    );
  });

  test("that are wrong are refused with their file", async () => {
    const folder = await folderOf("[]", "metrics: [{ id: clicks, type: mean, outcome: click, windw: 1d }]");
    expect(() => loadExperimentDocuments(folder)).toThrow(/metrics\.shared\.yaml:1: .*windw: unknown field/);
  });
});

test("what is stratified by, and what an arm costs, are kept as they were written", () => {
  const stratify = ["user.country", "user.tenure"];
  const arms = [
    { id: "control", control: true, model: { name: "a" }, cost: 0.5 },
    { id: "kd", model: { name: "b" } },
  ];
  const document = checked({ stratify, arms });
  expect(document.stratify).toEqual(stratify);
  expect(document.arms.map(({ cost }) => cost)).toEqual([0.5, undefined]);
  expect(checked({ stratify: [] }).stratify).toBeUndefined();
});

test.each<[string, object, string]>([
  [
    "an attribute twice",
    { stratify: ["user.country", "user.country"] },
    'stratify[1]: "user.country" is named twice',
  ],
  ["an unknown attribute", { stratify: ["user.contry"] }, 'stratify[0]: no attribute "user.contry"'],
  ["no attribute", { stratify: ["country"] }, "stratify[0]"],
  ["four of them", { stratify: ["user.a", "user.b", "user.c", "user.d"] }, "stratify"],
  [
    "a cost below nothing",
    { arms: [{ id: "control", control: true, model: { name: "a" }, cost: -1 }] },
    "arms[0].cost",
  ],
])("is refused, with the field: %s", (_what, changes, message) => {
  expect(() => checked(changes)).toThrow(message);
});
