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
    [
      "the salt of the counterfactual share, where requests are the units",
      { unit: "request", salt: "counterfactual" },
      'salt: expected another than "counterfactual"',
    ],
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
      "metrics[0].aggregate: expected count, sum, mean or last for a mean, got any",
    ],
    [
      "an interleaving of one arm",
      { kind: "interleave", arms: [arm("control")] },
      "arms: expected exactly 2, whose lists are interleaved, got 1",
    ],
    [
      "an interleaving of three arms",
      { kind: "interleave", arms: [arm("control"), arm("treated"), arm("third")] },
      "arms: expected exactly 2, whose lists are interleaved, got 3",
    ],
    [
      "an interleaving that would favour an arm",
      { kind: "interleave", arms: [arm("control"), arm("treated", { weight: 3 })] },
      "arms[1].weight: expected that of the other arm, 1, since both have a part in every answer, got 3",
    ],
    [
      "an interleaved arm of the name that stands for both",
      { kind: "interleave", arms: [arm("control"), arm("interleaved")] },
      "arms[1].id: expected another name",
    ],
    [
      "a sticky interleaving",
      { kind: "interleave", sticky: true },
      "sticky: expected none with kind interleave",
    ],
    [
      "an interleaving that logs what it shows",
      { kind: "interleave", counterfactual: { share: 0.1, topK: 10 } },
      "counterfactual: expected none with kind interleave",
    ],
    [
      "a log of the other arms where there is none",
      { arms: [arm("control")], counterfactual: { share: 0.1, topK: 10 } },
      "counterfactual: expected an experiment of at least 2 arms, got 1",
    ],
  ])("%s", (_what, over, complaint) => {
    expect(check(over)).toThrow(complaint);
  });

  test("nothing of a sound interleaving, or of a sound log of the other arms", () => {
    expect(check({ kind: "interleave", overrides: { qa: "treated" } })).not.toThrow();
    expect(check({ counterfactual: { share: 0.1, topK: 10 } })).not.toThrow();
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

  test("keeps the kind interleave; ab is what a document without a kind always was", () => {
    expect(parseExperimentDocument({ ...least, kind: "interleave" }, "file").kind).toBe("interleave");
    expect(parseExperimentDocument({ ...least, kind: "ab" }, "file")).toStrictEqual(
      parseExperimentDocument(least, "file"),
    );
  });

  test("logs ten of the other arms' best where it says no number", () => {
    const { counterfactual } = parseExperimentDocument({ ...least, counterfactual: { share: 0.05 } }, "file");
    expect(counterfactual).toEqual({ share: 0.05, topK: 10 });
  });

  test.each<[string, unknown, string]>([
    ["an unknown kind", { ...least, kind: "interleaved" }, 'did you mean "interleave"?'],
    ["a counterfactual without a share", { ...least, counterfactual: {} }, "counterfactual.share: expected"],
    ["a counterfactual share above 1", { ...least, counterfactual: { share: 2 } }, "counterfactual.share: "],
    ["too many of the best", { ...least, counterfactual: { share: 1, topK: 101 } }, "counterfactual.topK: "],
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
