import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ValueModelOverride } from "../../src/domain/model.ts";
import { valuePlan } from "../../src/ranking/ranking.ts";
import { modelWith } from "../support/ranking-model.ts";

const model = modelWith({
  tasks: ["click", "like"],
  valueModel: {
    kind: "weighted-sum",
    weights: { click: 1 },
    powers: { click: 2 },
    diversity: [{ by: "genre", decay: 0.9 }],
  },
});
const artist = [{ by: "artist", decay: 0.5, floor: 0.2 }];

describe("what counts of a value model that three may have a say in", () => {
  test("is the model's own where nobody else says anything", () => {
    const { valueModel, origin } = valuePlan(model);
    expect(valueModel).toEqual(model.valueModel);
    expect(origin).toEqual({ fusion: "model", diversity: "model" });
  });

  test("is the arm's, else the surface's, else the model's, for either half on its own", () => {
    const surface: ValueModelOverride = { kind: "weighted-product", weights: { like: 1 }, diversity: artist };
    const arm: ValueModelOverride = { diversity: [] };
    expect(valuePlan(model, surface, arm)).toMatchObject({
      valueModel: { kind: "weighted-product", weights: { like: 1 }, diversity: [] },
      origin: { fusion: "surface", diversity: "arm" },
      diversity: [],
    });
    expect(valuePlan(model, undefined, { diversity: artist })).toMatchObject({
      valueModel: { kind: "weighted-sum", powers: { click: 2 }, diversity: artist },
      origin: { fusion: "model", diversity: "arm" },
    });
  });

  test("takes no power of the model's into the weights of somebody else", () => {
    const { valueModel, weighed } = valuePlan(model, { kind: "weighted-sum", weights: { click: 3 } });
    expect(valueModel).not.toHaveProperty("powers");
    expect(weighed).toEqual([{ task: "click", column: 0, weight: 3, power: 1 }]);
  });

  test("follows one rule whoever says what", () => {
    const fusion = (weight: number) => ({ kind: "weighted-sum" as const, weights: { click: weight } });
    const said = fc.record({ fusion: fc.boolean(), diversity: fc.boolean() });
    fc.assert(
      fc.property(said, said, (bySurface, byArm) => {
        const write = (one: typeof bySurface, weight: number, by: string): ValueModelOverride => ({
          ...(one.fusion ? fusion(weight) : {}),
          ...(one.diversity ? { diversity: [{ by, decay: 0.5 }] } : {}),
        });
        const { origin, weighed, diversity } = valuePlan(
          model,
          write(bySurface, 20, "of the surface"),
          write(byArm, 30, "of the arm"),
        );
        const whose = (half: "fusion" | "diversity") =>
          byArm[half] ? "arm" : bySurface[half] ? "surface" : "model";
        expect(origin).toEqual({ fusion: whose("fusion"), diversity: whose("diversity") });
        expect(weighed[0]?.weight).toBe({ arm: 30, surface: 20, model: 1 }[whose("fusion")]);
        expect(diversity[0]?.by).toBe(
          { arm: "of the arm", surface: "of the surface", model: "genre" }[whose("diversity")],
        );
      }),
    );
  });

  test("is worked out once for the same three", () => {
    const surface = { diversity: artist };
    const arm = { diversity: [] };
    expect(valuePlan(model, surface, arm)).toBe(valuePlan(model, surface, arm));
    expect(valuePlan(model, surface)).toBe(valuePlan(model, surface));
    expect(valuePlan(model, surface)).not.toBe(valuePlan(model, surface, arm));
  });
});

test("a task may be called like anything at all", () => {
  const tasks = ["__proto__", "constructor", 'a"\\\n', "1"];
  const { readTasks } = valuePlan(
    modelWith({ tasks, valueModel: { kind: "weighted-sum", weights: { click: 1 } } }),
  );
  const row = readTasks(Float32Array.from([9, 0.25, 0.5, Number.NaN, 0.75]), 1);
  expect(Object.entries(row)).toEqual(
    expect.arrayContaining([
      ["__proto__", 0.25],
      ["constructor", 0.5],
      ['a"\\\n', 0],
      ["1", 0.75],
    ]),
  );
});
