import { expect, test } from "vitest";
import type { Model, ModelRef } from "../../src/domain/model.ts";
import type { StoreChange } from "../../src/domain/store-state.ts";
import { ExperimentWrites } from "../../src/rollout/experiment-writes.ts";
import { knownValueModels } from "../../src/rollout/known-value-models.ts";
import { checkNeedsOf, modelNeeds } from "../../src/rollout/model-needs.ts";
import { storeOf } from "../support/experiment-store.ts";
import { documentWith, experimentWith } from "../support/experiments.ts";
import { modelWith } from "../support/ranking-model.ts";

const valueModel = { kind: "weighted-sum" as const, weights: { click: 1 } };
const named = (name: string, tasks = ["click", "like"]): Model => ({
  ...modelWith({ tasks, valueModel }),
  name,
});
const homeWith = (shadow: ModelRef, weights?: Record<string, number>) =>
  new Map([
    [
      "home",
      {
        defaultModel: { name: "home-control" },
        timeoutMs: 200,
        shadow: { model: shadow, share: 0, topK: 10 },
        ...(weights && { valueModel: { kind: "weighted-sum" as const, weights } }),
      },
    ],
  ]);
const scorerOf = (...models: Model[]) => ({
  models: () => models,
  resolve: ({ name }: ModelRef) => models.find((model) => model.name === name),
});

test("a shadow needs its model as a surface does, whatever its share", () => {
  expect(modelNeeds(homeWith({ name: "home-kd", label: "candidate" }), [])).toEqual([
    { ref: { name: "home-control" }, by: "surface home" },
    { ref: { name: "home-kd", label: "candidate" }, by: "the shadow of surface home" },
  ]);
});

test("a new version that a shadow would get has to be of its surface", () => {
  const served = { surfaces: homeWith({ name: "home-kd" }), experiments: [], itemFeatures: [] };
  const scorer = scorerOf(named("home-control"));
  const moved = { ...named("home-kd"), version: "2", surface: "radio" };
  expect(() => checkNeedsOf(moved, { ...served, configured: served.surfaces, scorer })).toThrow(
    "model home-kd/2: expected surface home, for the shadow of surface home gets it, found radio",
  );
  expect(() =>
    checkNeedsOf(named("home-kd"), { ...served, configured: served.surfaces, scorer }),
  ).not.toThrow();
});

test("a new version that one arm of an interleaving would get is held to what any arm is", () => {
  const experiments = [experimentWith({ kind: "interleave" })];
  const surfaces = homeWith({ name: "home-control" });
  const served = { surfaces, configured: surfaces, experiments, itemFeatures: [] };
  const scorer = scorerOf(named("home-control"), named("home-treated"));
  const better = { ...named("home-treated"), version: "2" };
  expect(() => checkNeedsOf(better, { ...served, scorer })).not.toThrow();
  expect(() => checkNeedsOf({ ...better, surface: "radio" }, { ...served, scorer })).toThrow(
    "experiment exp: arms[0].model.name: expected a model of surface home",
  );
});

test("a new version for an arm of an experiment with prerequisites comes to serve", () => {
  const experiments = [experimentWith({ prerequisites: [{ experiment: "other", arms: ["treated"] }] })];
  const surfaces = homeWith({ name: "home-control" });
  const served = { surfaces, configured: surfaces, experiments, itemFeatures: [] };
  const scorer = scorerOf(named("home-control"), named("home-treated"));
  expect(() => checkNeedsOf({ ...named("home-treated"), version: "2" }, { ...served, scorer })).not.toThrow();
});

test("what a surface weighs has to be a task of its shadow's model too", () => {
  const surfaces = homeWith({ name: "home-kd" }, { like: 1 });
  const scorer = scorerOf(named("home-control"), named("home-kd", ["click"]));
  expect(() => knownValueModels(surfaces, scorer, [])).toThrow(
    "surfaces.home.valueModel.weights.like: expected a task of home-kd/1",
  );
  expect(() =>
    knownValueModels(surfaces, scorerOf(named("home-control"), named("home-kd")), []),
  ).not.toThrow();
});

test("what a write needs is held while it is written, and not after it, nor after one that is refused or dry", async () => {
  const held = new Set<StoreChange>();
  let heldMost = 0;
  const store = storeOf([]);
  const prepare = async (change: StoreChange) => {
    held.add(change);
    heldMost = Math.max(heldMost, held.size);
    return () => void held.delete(change);
  };
  const refusing = { ...store, write: () => Promise.reject(new Error("the disk is full")) };
  const draft = documentWith({ status: "draft" });
  for (const [into, dryRun] of [
    [store, true],
    [refusing, false],
    [store, false],
  ] as const) {
    const writes = new ExperimentWrites({ store: into, known: () => ({}), prepare });
    await writes.create(draft, { who: "ada", dryRun }).catch(() => undefined);
    expect(held.size).toBe(0);
  }
  expect(store.get("exp")?.revision).toBe(1);
  expect(heldMost).toBe(1);
});
