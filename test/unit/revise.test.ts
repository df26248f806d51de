import { describe, expect, test } from "vitest";
import type { ExperimentDocument } from "../../src/domain/experiment.ts";
import { describeChange } from "../../src/experiments/change.ts";
import { allocate, changedFields, revise, reviseAll } from "../../src/experiments/experiments.ts";
import { arm, documentWith, experimentWith } from "../support/experiments.ts";

describe("traffic", () => {
  test("is the first free part of the layer", () => {
    expect(allocate([], 0.25, [])).toEqual([{ from: 0, to: 0.25 }]);
    expect(allocate([], 0.5, [{ from: 0.25, to: 0.5 }])).toEqual([
      { from: 0, to: 0.25 },
      { from: 0.5, to: 0.75 },
    ]);
  });

  test("in the middle of a layer grows around its mates and shrinks back to what it began with", () => {
    const mates = [
      { from: 0, to: 0.2 },
      { from: 0.5, to: 0.6 },
    ];
    const small = allocate([], 0.3, mates);
    const grown = allocate(small, 0.5, mates);
    expect(small).toEqual([{ from: 0.2, to: 0.5 }]);
    expect(grown).toEqual([
      { from: 0.2, to: 0.5 },
      { from: 0.6, to: 0.8 },
    ]);
    expect(allocate(grown, 0.3, mates)).toEqual(small);
  });

  test("that a decimal cannot hold exactly still fits: 0.1, 0.2 and 0.7", () => {
    const documents = [0.1, 0.2, 0.7].map((traffic, i) => documentWith({ id: `e${i}`, traffic }));
    const { experiments } = reviseAll([], documents);
    expect(experiments.map(({ ranges }) => ranges)).toEqual([
      [{ from: 0, to: 0.1 }],
      [{ from: 0.1, to: 0.3 }],
      [{ from: 0.3, to: 1 }],
    ]);
  });

  test("past what is free is refused, with who holds the layer and what is left", () => {
    const mate = experimentWith({ id: "mate", traffic: 0.7 });
    expect(() => revise(undefined, documentWith({ traffic: 0.4 }), [mate])).toThrow(
      "traffic: expected at most 0.3, the free share of the layer, got 0.4; layer ranker is held by mate (0.7): lower or stop one of them",
    );
  });

  test("is held by running and paused experiments, not by drafts and stopped ones", () => {
    for (const [status, free] of [
      ["draft", true],
      ["stopped", true],
      ["running", false],
      ["paused", false],
    ] as const) {
      const mate = experimentWith({ id: "mate", status });
      const start = () => revise(undefined, documentWith(), [mate]);
      expect(outcome(start), status).toBe(free ? "accepted" : "refused");
    }
  });

  test("is kept through a pause", () => {
    const running = experimentWith({ traffic: 0.4 });
    const paused = revise(running, documentWith({ traffic: 0.4, status: "paused" }), []);
    expect(revise(paused, documentWith({ traffic: 0.4 }), []).ranges).toEqual(running.ranges);
  });
});

describe("a phase", () => {
  const running = experimentWith();

  test.each<[string, Partial<ExperimentDocument>]>([
    ["arms", { arms: [arm("control"), arm("other")] }],
    ["weights", { arms: [arm("control"), arm("treated", { weight: 2 })] }],
    ["the order of the arms", { arms: [arm("treated"), arm("control")] }],
    ["an arm's model", { arms: [arm("control"), arm("treated", { model: { name: "x" } })] }],
    ["the salt", { salt: "again" }],
    ["the targeting", { targeting: "user.a == 1" }],
    ["the layer", { layer: "other" }],
    ["the surface", { surface: "radio" }],
    ["the kind", { kind: "interleave" }],
  ])("begins with a change of %s, running or paused", (_what, over) => {
    expect(revise(running, documentWith(over), [])).toMatchObject({ revision: 2, phase: 2 });
    const paused = revise(running, documentWith({ status: "paused" }), []);
    expect(revise(paused, documentWith(over), [])).toMatchObject({ revision: 3, phase: 2 });
  });

  test.each<[string, Partial<ExperimentDocument>]>([
    ["traffic", { traffic: 0.5 }],
    ["the description", { description: "why" }],
    ["what an arm costs", { arms: [arm("control"), arm("treated", { cost: 2 })] }],
    ["what is stratified by", { stratify: ["user.country"] }],
    ["overrides", { overrides: { qa: "treated" } }],
    ["the status", { status: "paused" }],
    ["what is logged of the other arms", { counterfactual: { share: 0.1, topK: 10 } }],
  ])("goes on through a change of %s", (_what, over) => {
    expect(revise(running, documentWith(over), [])).toMatchObject({ revision: 2, phase: 1 });
  });

  test("of a draft does not begin before it runs", () => {
    const draft = experimentWith({ status: "draft" });
    expect(revise(draft, documentWith({ salt: "again" }), []).phase).toBe(1);
  });
});

test("an experiment that has begun cannot be a draft again", () => {
  expect(() => revise(experimentWith(), documentWith({ status: "draft" }), [])).toThrow(
    "status: exp is running and cannot be a draft again",
  );
});

test("a changed layer gives the old part back and takes part in the new one", () => {
  const before = [experimentWith({ id: "a" }), experimentWith({ id: "b", layer: "other", traffic: 0.5 })];
  const { experiments } = reviseAll(before, [
    documentWith({ id: "a", layer: "other", traffic: 0.5 }),
    documentWith({ id: "b", layer: "ranker" }),
  ]);
  expect(experiments.map(({ layer, ranges }) => [layer, ranges])).toEqual([
    ["other", [{ from: 0, to: 0.5 }]],
    ["ranker", [{ from: 0, to: 1 }]],
  ]);
});

test("a document that says what stands changes nothing", () => {
  const standing = [experimentWith({ overrides: { a: "control", b: "treated" } })];
  const same = documentWith({ overrides: { b: "treated", a: "control" } });
  expect(reviseAll(standing, [same])).toEqual({ experiments: standing, changed: [] });
});

test("a refused document is named", () => {
  const documents = [documentWith({ id: "a" }), documentWith({ id: "b" })];
  expect(() => reviseAll([], documents)).toThrow("experiment b: traffic: expected at most 0,");
});

test("a change is one line for the history", () => {
  const before = experimentWith({ traffic: 0.1 });
  const after = revise(before, documentWith({ traffic: 0.5, arms: [arm("control")] }), []);
  expect(changedFields(before, after)).toEqual(["traffic", "arms"]);
  expect(describeChange(before, after)).toBe("traffic 0.1 to 0.5, arms; phase 2");
  expect(describeChange(undefined, before)).toBe("created, running");
});

function outcome(work: () => unknown): "accepted" | "refused" {
  try {
    work();
    return "accepted";
  } catch {
    return "refused";
  }
}
