import { describe, expect, test } from "vitest";
import type { ExperimentDocument } from "../../src/domain/experiment.ts";
import { compileAssigner, validateExperiment } from "../../src/experiments/experiments.ts";
import { arm, documentWith, experimentWith, noAttributes } from "../support/experiments.ts";

const first = { id: "first", layer: "l1", surface: "radio" } as const;
const second = {
  id: "second",
  layer: "l2",
  prerequisites: [{ experiment: "first", arms: ["treated"] }],
} as const;
const units = Array.from({ length: 300 }, (_, i) => `u${i}`);

describe("an experiment with a prerequisite", () => {
  test("takes exactly the units in the arms that it asks for, whatever surface they are asked on", () => {
    const assigner = compileAssigner([experimentWith(first), experimentWith(second)]);
    for (const unit of units) {
      const [got] = assigner.assign("radio", unit, noAttributes);
      expect(assigner.assign("home", unit, noAttributes).length).toBe(got?.arm === "treated" ? 1 : 0);
    }
  });

  test("says which arm is wanted and what the unit got, or why it got none", () => {
    const details = (status: "running" | "paused") => {
      const assigner = compileAssigner([experimentWith({ ...first, status }), experimentWith(second)]);
      return units.flatMap((unit) =>
        assigner
          .explain("home", unit, noAttributes)
          .filter(({ reason }) => reason === "prerequisite")
          .map(({ detail }) => detail),
      );
    };
    expect(new Set(details("running"))).toEqual(
      new Set(["it asks for treated of first, where the unit got control"]),
    );
    expect(details("paused")).toEqual(
      units.map(() => "it asks for treated of first, which the unit does not enter (status)"),
    );
  });

  test("takes a unit that an override forced into the arm, and keeps it out of the analysis", () => {
    const forced = experimentWith({ ...first, overrides: { qa: "treated" } });
    const assigner = compileAssigner([forced, experimentWith(second)]);
    expect(assigner.assign("home", "qa", noAttributes)).toMatchObject([
      { experiment: "second", overridden: true },
    ]);
    const decision = assigner.explain("home", "qa", noAttributes)[1];
    expect(decision).toMatchObject({ reason: "assigned" });
    expect(decision?.detail).toContain("never analysed");
  });
});

describe("refused, with field and reason:", () => {
  const others = [documentWith(first)];
  const check = (over: Partial<ExperimentDocument>, all: readonly ExperimentDocument[] = others) => {
    const document = documentWith({ ...second, ...over } as Partial<ExperimentDocument>);
    return () => validateExperiment(document, { others: all });
  };
  const asks = (experiment: string, ...arms: string[]) => ({ prerequisites: [{ experiment, arms }] });

  test("nothing where it is sound", () => {
    expect(check({})).not.toThrow();
  });

  test.each<[string, Partial<ExperimentDocument>, string]>([
    [
      "an experiment that does not exist",
      asks("frist", "treated"),
      'prerequisites[0].experiment: no experiment "frist" (did you mean "first"?)',
    ],
    [
      "an arm that does not exist",
      asks("first", "control", "treted"),
      'prerequisites[0].arms[1]: first has no arm "treted" (did you mean "treated"?)',
    ],
    ["itself", asks("second", "treated"), "prerequisites[0].experiment: a circle, second -> second"],
    [
      "one of its own layer",
      { layer: "l1" },
      "prerequisites[0].experiment: first is of the same layer, l1, so that no unit is in both",
    ],
    [
      "the same twice",
      {
        prerequisites: [...asks("first", "treated").prerequisites, ...asks("first", "control").prerequisites],
      },
      "prerequisites[1].experiment: first stands there already",
    ],
  ])("%s", (_what, over, complaint) => {
    expect(check(over)).toThrow(complaint);
  });

  test("a circle over others", () => {
    const chain = [
      documentWith({ ...first, ...asks("third", "treated") }),
      documentWith({ id: "third", layer: "l3", ...asks("second", "treated") }),
    ];
    expect(check({}, chain)).toThrow("a circle, second -> first -> third -> second");
  });

  test("a unit of which one could be in and out of the other", () => {
    expect(check({}, [documentWith({ ...first, unit: "session" })])).toThrow("first splits by session");
    expect(check({ unit: "session" })).not.toThrow();
    expect(check({ unit: "user.household" })).toThrow("first splits by user");
  });

  test("taking away an arm that another asks for", () => {
    const dependent = documentWith(second as Partial<ExperimentDocument>);
    const smaller = documentWith({ ...first, arms: [arm("control"), arm("other")] });
    const write = (status: "running" | "stopped") => () =>
      validateExperiment(smaller, { others: [{ ...dependent, status }] });
    expect(write("running")).toThrow("arms: expected treated to stay, which second asks for");
    expect(write("stopped")).not.toThrow();
  });

  test("two kinds of unit in one layer", () => {
    const document = documentWith({ id: "other", layer: "l1", unit: "session", traffic: 0.1 });
    expect(() => validateExperiment(document, { others })).toThrow(
      "unit: expected user, by which first splits layer l1, got session",
    );
  });

  test("a salt of a holdout", () => {
    expect(check({ salt: "holdout:all" })).toThrow('salt: expected one that does not begin with "holdout:"');
  });
});

test("a circle in what was never validated is refused when it is compiled", () => {
  const circle = [
    experimentWith({ ...first, prerequisites: [{ experiment: "second", arms: ["treated"] }] }),
    experimentWith(second as Partial<ExperimentDocument>),
  ];
  expect(() => compileAssigner(circle)).toThrow("a circle, first -> second -> first");
});

describe("an interleaving as a prerequisite", () => {
  const both = documentWith({ ...first, kind: "interleave" });
  const asking = (arms: readonly string[]) =>
    documentWith({ ...second, prerequisites: [{ experiment: "first", arms }] });

  test("is asked for by the arm that its units get, and lets each of them in", () => {
    expect(() => validateExperiment(asking(["interleaved"]), { others: [both] })).not.toThrow();
    expect(() => validateExperiment(asking(["treated"]), { others: [both] })).toThrow(
      'prerequisites[0].arms[0]: first has no arm "treated" (did you mean "interleaved"?)',
    );
    const assigner = compileAssigner([
      experimentWith({ ...first, kind: "interleave" }),
      experimentWith({ ...second, prerequisites: [{ experiment: "first", arms: ["interleaved"] }] }),
    ]);
    for (const unit of units) expect(assigner.assign("home", unit, noAttributes)).toHaveLength(1);
  });

  test("is not what an experiment becomes whose arms another asks for", () => {
    expect(() => validateExperiment(both, { others: [asking(["treated"])] })).toThrow(
      "arms: expected treated to stay, which second asks for as a prerequisite",
    );
  });
});

describe("experiments in a row, of which each asks for the one before", () => {
  const link = (place: number) =>
    documentWith({
      id: `e${place}`,
      layer: `l${place}`,
      ...(place > 0 && { prerequisites: [{ experiment: `e${place - 1}`, arms: ["treated"] }] }),
    });
  const row = Array.from({ length: 17 }, (_, place) => link(place));

  test("may be 16", () => {
    expect(() => validateExperiment(link(15), { others: row.slice(0, 15) })).not.toThrow();
  });

  test.each([16, 8])(
    "are refused where they would be 17, also where the one written is the %ith",
    (place) => {
      const others = row.filter(({ id }) => id !== `e${place}`);
      expect(() => validateExperiment(link(place), { others })).toThrow(
        /^prerequisites: expected at most 16 experiments in a row, .* got 17$/,
      );
    },
  );

  test("which ask for many at once are no longer for it", () => {
    const wide = Array.from({ length: 20 }, (_, i) => documentWith({ id: `w${i}`, layer: `w${i}` }));
    const prerequisites = wide.map(({ id }) => ({ experiment: id, arms: ["treated"] }));
    expect(() => validateExperiment(documentWith({ prerequisites }), { others: wide })).not.toThrow();
  });
});
