import { describe, expect, test } from "vitest";
import type { ExperimentDocument } from "../../src/domain/experiment.ts";
import { parseExperimentDocument, validateExperiment } from "../../src/experiments/experiments.ts";
import { arm, documentWith } from "../support/experiments.ts";

const models = [
  { name: "home-control", version: "1", surface: "home" },
  { name: "home-treated", version: "1", surface: "home" },
  { name: "home-treated", version: "2", surface: "home" },
  { name: "radio-control", version: "1", surface: "radio" },
];
const context = { surfaces: ["home", "radio"], models, others: [] };

function check(over: Partial<ExperimentDocument>, others: readonly ExperimentDocument[] = []): () => void {
  return () => validateExperiment(documentWith(over), { ...context, others });
}

test("a sound document passes", () => {
  expect(check({ targeting: "user.country == 'DE'", overrides: { qa: "treated" } })).not.toThrow();
});

test("what the context does not know is not checked", () => {
  const document = documentWith({ surface: "elsewhere", arms: [arm("control", { model: { name: "any" } })] });
  expect(() => validateExperiment(document, { others: [] })).not.toThrow();
});

const metric = documentWith().metrics[0] ?? {
  id: "m",
  type: "mean" as const,
  outcome: "click",
  aggregate: "count" as const,
  goal: "increase" as const,
  role: "primary" as const,
};

describe("refused, with field and reason:", () => {
  test.each<[string, Partial<ExperimentDocument>, string]>([
    ["an unknown surface", { surface: "hmoe" }, 'surface: no surface "hmoe" (did you mean "home"?)'],
    ["a salt of a layer", { salt: "layer:ranker" }, "salt: expected one that does not begin"],
    ["traffic above 1", { traffic: 1.1 }, "traffic: expected 0, or a share from 0.000001 to 1, got 1.1"],
    ["negative traffic", { traffic: -0.1 }, "traffic: "],
    ["traffic that is no number", { traffic: Number.NaN }, "traffic: "],
    ["traffic too fine to be dealt", { traffic: 1e-9 }, "traffic: "],
    ["no control", { arms: [arm("a"), arm("b")] }, "arms: expected exactly one with control: true, got none"],
    [
      "two controls",
      { arms: [arm("control"), arm("b", { control: true })] },
      "arms: expected exactly one with control: true, got control and b",
    ],
    [
      "two arms of one id",
      { arms: [arm("control"), arm("control", { control: false })] },
      'arms[1].id: another arm is called "control"',
    ],
    [
      "a negative weight",
      { arms: [arm("control"), arm("treated", { weight: -1 })] },
      "arms[1].weight: expected a number from 0, got -1",
    ],
    [
      "a weight that is no number",
      { arms: [arm("control", { weight: Number.NaN }), arm("treated")] },
      "arms[0].weight: expected a number from 0, got NaN",
    ],
    [
      "weights that sum to nothing",
      { arms: [arm("control", { weight: 0 }), arm("treated", { weight: 0 })] },
      "arms: expected weights with a positive, finite sum, got 0",
    ],
    [
      "weights that sum to infinity",
      { arms: [arm("control", { weight: 1e308 }), arm("treated", { weight: 1e308 })] },
      "arms: expected weights with a positive, finite sum, got Infinity",
    ],
    [
      "a model that does not exist",
      { arms: [arm("control"), arm("treated", { model: { name: "home-traeted" } })] },
      'arms[1].model.name: no model "home-traeted" (did you mean "home-treated"?)',
    ],
    [
      "a version that does not exist",
      { arms: [arm("control"), arm("treated", { model: { name: "home-treated", version: "3" } })] },
      "arms[1].model.version: no version 3 of home-treated (known: 1, 2)",
    ],
    [
      "another surface's model",
      { arms: [arm("control"), arm("treated", { model: { name: "radio-control" } })] },
      "arms[1].model.name: expected a model of surface home, radio-control serves radio",
    ],
    ["targeting that is no CEL", { targeting: "user." }, "targeting: not a CEL expression: line 1"],
    [
      "an override into no arm",
      { overrides: { qa: "treted" } },
      'overrides.qa: no arm "treted" (did you mean "treated"?)',
    ],
    ["an override of an over-long unit", { overrides: { ["ü".repeat(129)]: "treated" } }, "overrides: "],
    ["an override of no unit", { overrides: { "": "treated" } }, "overrides: "],
    ["two metrics of one id", { metrics: [metric, metric] }, 'metrics[1].id: another metric is called "m"'],
    [
      "a proportion of counts",
      { metrics: [{ ...metric, type: "proportion" }] },
      "metrics[0].aggregate: expected any for a proportion, got count",
    ],
    [
      "a mean of any",
      { metrics: [{ ...metric, aggregate: "any" }] },
      "metrics[0].aggregate: expected count or sum for a mean, got any",
    ],
  ])("%s", (_what, over, complaint) => {
    expect(check(over)).toThrow(complaint);
  });

  test("an id that another experiment has", () => {
    expect(check({}, [documentWith({ layer: "other" })])).toThrow('id: there is another experiment "exp"');
  });

  test("the salt of an experiment of another layer, which would tie their arms together", () => {
    const other = documentWith({ id: "other", layer: "other", salt: "exp" });
    expect(check({}, [other])).toThrow('salt: other of layer other has the same, "exp"');
    expect(check({}, [{ ...other, status: "stopped" }])).not.toThrow();
    expect(check({}, [{ ...other, layer: "ranker" }])).not.toThrow();
  });
});

describe("a written document", () => {
  const least = {
    id: "exp",
    surface: "home",
    layer: "ranker",
    arms: [{ id: "control", control: true, model: { name: "home-control" } }],
  };

  test("gets its defaults", () => {
    const written = {
      ...least,
      metrics: [
        { id: "m", type: "mean", outcome: "click" },
        { id: "p", type: "proportion", outcome: "like" },
      ],
    };
    expect(parseExperimentDocument(written, "file")).toEqual({
      id: "exp",
      description: "",
      surface: "home",
      layer: "ranker",
      unit: "user",
      salt: "exp",
      traffic: 1,
      status: "draft",
      arms: [{ id: "control", control: true, weight: 1, model: { name: "home-control" } }],
      overrides: {},
      metrics: [
        { id: "m", type: "mean", outcome: "click", aggregate: "count", goal: "increase", role: "secondary" },
        {
          id: "p",
          type: "proportion",
          outcome: "like",
          aggregate: "any",
          goal: "increase",
          role: "secondary",
        },
      ],
    });
  });

  test.each<[string, unknown, string]>([
    ["an unknown field", { ...least, trafic: 1 }, 'trafic: unknown field (did you mean "traffic"?)'],
    [
      "an unknown field of an arm",
      { ...least, arms: [{ ...least.arms[0], wieght: 1 }] },
      'arms[0].wieght: unknown field (did you mean "weight"?)',
    ],
    ["no layer", { ...least, layer: undefined }, "layer: expected"],
    ["an unknown status", { ...least, status: "runing" }, 'did you mean "running"?'],
    ["an id with a slash", { ...least, id: "a/b" }, "id: "],
    ["an empty id", { ...least, id: "" }, "id: "],
    ["no arms", { ...least, arms: [] }, "arms: "],
    [
      "a weight as text",
      { ...least, arms: [{ ...least.arms[0], weight: "1" }] },
      "arms[0].weight: expected number",
    ],
    [
      "an infinite weight",
      { ...least, arms: [{ ...least.arms[0], weight: Number.POSITIVE_INFINITY }] },
      "arms[0].weight: ",
    ],
    ["another unit", { ...least, unit: "device" }, "unit: expected user, session, request or an attribute"],
    ["a list", [least], "file: expected an experiment's fields"],
    ["nothing", null, "file: expected an experiment's fields"],
  ])("is refused with %s", (_what, written, complaint) => {
    expect(() => parseExperimentDocument(written, "file")).toThrow(complaint);
  });
});
