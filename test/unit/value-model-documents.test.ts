import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadConfig, loadExperimentDocuments } from "../../src/config.ts";
import type { ValueModelOverride } from "../../src/domain/model.ts";
import { parseExperimentDocument, revise, validateExperiment } from "../../src/experiments/experiments.ts";
import { checkDiversity, checkValueModel, checkWeighedTasks } from "../../src/schema/value-model.ts";
import { arm, documentWith, experimentWith } from "../support/experiments.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const sound: ValueModelOverride = {
  kind: "weighted-sum",
  weights: { click: 1, like: -0.5 },
  powers: { click: 2 },
  diversity: [
    { by: "artist", decay: 0.7, floor: 0.2 },
    { by: "genre", decay: 0.9 },
  ],
};

describe("a value model is refused, with field, expected and found, for", () => {
  const tasks = ["click", "completion"];
  const features = ["artist", "genre"];
  test.each<[string, ValueModelOverride, string]>([
    [
      "a kind without weights",
      { kind: "weighted-sum" },
      "v.weights: expected, since kind is weighted-sum, but missing",
    ],
    [
      "weights without a kind",
      { weights: { click: 1 } },
      "v.kind: expected, since weights are given, but missing",
    ],
    ["powers alone", { powers: { click: 1 } }, "v.kind: expected, since powers are given, but missing"],
    [
      "powers of a product",
      { kind: "weighted-product", weights: { click: 1 }, powers: { click: 2 } },
      'v.powers: expected none for a weighted-product, whose weights are the powers, got {"click":2}',
    ],
    [
      "a power of a task without a weight",
      { kind: "weighted-sum", weights: { click: 1 }, powers: { clik: 2 } },
      'v.powers.clik: expected a task that has a weight (did you mean "click"?)',
    ],
    [
      "two steps by one feature",
      {
        diversity: [
          { by: "artist", decay: 0.5 },
          { by: "artist", decay: 0.6 },
        ],
      },
      'v.diversity[1].by: expected one step a feature, got a second one by "artist"',
    ],
    [
      "a weight of an unknown task",
      { kind: "weighted-sum", weights: { completions: 1 } },
      'v.weights.completions: expected a task of home-kd/1 (did you mean "completion"?)',
    ],
    [
      "a step by an unknown feature",
      { diversity: [{ by: "artst", decay: 0.5 }] },
      'v.diversity[0].by: no item feature "artst" (did you mean "artist"?)',
    ],
  ])("%s", (_what, valueModel, sentence) => {
    const check = () => {
      checkValueModel(valueModel, "v");
      checkWeighedTasks(valueModel, "v", tasks, "home-kd/1");
      checkDiversity(valueModel, "v", features);
    };
    expect(check).toThrow(sentence);
  });

  test("nothing, where it is sound", () => {
    expect(() => checkValueModel(sound, "v")).not.toThrow();
    expect(() => checkDiversity(sound, "v", features)).not.toThrow();
    expect(() => checkValueModel({ diversity: [] }, "v")).not.toThrow();
  });
});

describe("a surface of the configuration", () => {
  const load = async (text: string) => {
    const config = join(await temporaryFolder(), "setlist.yaml");
    await writeFile(config, text);
    return loadConfig({ flags: { config }, env: {}, cwd: "/" });
  };
  const home = "surfaces:\n  home:\n    defaultModel: { name: home-control }\n    valueModel:\n      ";

  test("may have a value model", async () => {
    const config = await load(`${home}diversity: [{ by: artist, decay: 0.7, floor: 0.2 }]\n`);
    expect(config.surfaces.get("home")).toEqual({
      defaultModel: { name: "home-control" },
      timeoutMs: 200,
      valueModel: { diversity: [{ by: "artist", decay: 0.7, floor: 0.2 }] },
    });
  });

  test.each([
    [
      "diversty: []",
      /5: surfaces\.home\.valueModel\.diversty: unknown field \(did you mean "diversity"\?\)$/,
    ],
    [
      "kind: weighted-sum",
      /5: surfaces\.home\.valueModel\.weights: expected, since kind is weighted-sum, but missing$/,
    ],
    [
      "diversity: [{ by: artist }]",
      /5: surfaces\.home\.valueModel\.diversity\[0\]\.decay: expected, but missing$/,
    ],
    ["{}", /surfaces\.home\.valueModel: expected kind and weights, diversity, or both, got \{\}$/],
  ])("is refused with file and line for %s", async (text, sentence) => {
    await expect(load(`${home}${text}\n`)).rejects.toThrow(sentence);
  });
});

describe("an arm of an experiment", () => {
  const withValueModel = (valueModel: ValueModelOverride) =>
    documentWith({ arms: [arm("control"), arm("treated", { valueModel })] });
  const context = {
    surfaces: ["home"],
    models: [
      { name: "home-control", version: "1", surface: "home", tasks: ["click", "like"] },
      { name: "home-treated", version: "1", surface: "home", tasks: ["click", "like"] },
      { name: "home-treated", version: "2", surface: "home", tasks: ["click", "completion"] },
    ],
    itemFeatures: ["artist", "genre"],
    others: [],
  };

  test("may have a value model, which is kept as it was written", () => {
    const written = withValueModel(sound);
    expect(parseExperimentDocument(JSON.parse(JSON.stringify(written)), "document")).toEqual(written);
    expect(parseExperimentDocument(documentWith(), "document").arms[0]).not.toHaveProperty("valueModel");
  });

  test("weighs tasks that every version of its model has, unless it names one", () => {
    const fusion: ValueModelOverride = { kind: "weighted-sum", weights: { like: 1 } };
    expect(() => validateExperiment(withValueModel(fusion), context)).toThrow(
      "arms[1].valueModel.weights.like: expected a task of home-treated/2",
    );
    const first = documentWith({
      arms: [
        arm("control"),
        arm("treated", { valueModel: fusion, model: { name: "home-treated", version: "1" } }),
      ],
    });
    expect(() => validateExperiment(first, context)).not.toThrow();
  });

  test("that says nothing has to suit what its surface weighs", () => {
    const valueModels = new Map([["home", { kind: "weighted-sum" as const, weights: { like: 1 } }]]);
    expect(() => validateExperiment(documentWith(), { ...context, valueModels })).toThrow(
      "arms[1].model: expected one with the task like, which surfaces.home.valueModel weighs, got home-treated/2 of click, completion",
    );
    const own = withValueModel({ kind: "weighted-sum", weights: { click: 1 } });
    expect(() => validateExperiment(own, { ...context, valueModels })).not.toThrow();
  });

  test("is refused for a step by a feature that no item has, and for fields that do not fit together", () => {
    expect(() =>
      validateExperiment(withValueModel({ diversity: [{ by: "artists", decay: 1 }] }), context),
    ).toThrow('arms[1].valueModel.diversity[0].by: no item feature "artists" (did you mean "artist"?)');
    expect(() => validateExperiment(withValueModel({ kind: "weighted-product" }), context)).toThrow(
      "arms[1].valueModel.weights: expected, since kind is weighted-product, but missing",
    );
  });

  test("is refused with its file and line", async () => {
    const folder = await temporaryFolder();
    const file = join(folder, "exp.yaml");
    const arms =
      "  - { id: control, control: true, model: { name: m } }\n  - id: b\n    model: { name: m }\n";
    await writeFile(
      file,
      `id: exp\nsurface: home\nlayer: l\narms:\n${arms}    valueModel: { kind: weighted-sums, weights: { click: 1 } }\n`,
    );
    expect(() => loadExperimentDocuments(folder)).toThrow(
      `${file}:8: arms[1].valueModel.kind: expected one of weighted-sum, weighted-product, got "weighted-sums" (did you mean "weighted-sum"?)`,
    );
  });

  test("that changes its value model while it runs starts a new phase; a draft's does not", () => {
    const running = experimentWith({ status: "running" });
    const changed = withValueModel({ diversity: [{ by: "artist", decay: 0.7 }] });
    expect(revise(running, changed, []).phase).toBe(running.phase + 1);
    const lower = withValueModel({ diversity: [{ by: "artist", decay: 0.6 }] });
    expect(revise(revise(running, changed, []), lower, []).phase).toBe(running.phase + 2);
    expect(revise(revise(running, changed, []), changed, []).phase).toBe(running.phase + 1);
    const draft = experimentWith({ status: "draft" });
    expect(revise(draft, { ...changed, status: "draft" }, []).phase).toBe(draft.phase);
  });
});
