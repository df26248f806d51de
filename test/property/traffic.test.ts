import fc from "fast-check";
import { expect, test } from "vitest";
import type { Experiment, TrafficRange } from "../../src/domain/experiment.ts";
import { allocate, compileAssigner, revise, reviseAll } from "../../src/experiments/experiments.ts";
import { documentWith, experimentWith, noAttributes } from "../support/experiments.ts";

const share = fc.integer({ min: 0, max: 1_000_000 }).map((parts) => parts / 1_000_000);
const units = Array.from({ length: 400 }, (_, i) => `u${i}`);

test("ramping in any steps moves nobody between arms, and a growing step loses nobody", () => {
  fc.assert(
    fc.property(fc.array(share, { minLength: 1, maxLength: 8 }), share, (steps, mateTraffic) => {
      const mate = experimentWith({ id: "mate", traffic: mateTraffic / 2 });
      const seen = new Map<string, string>();
      let experiment: Experiment | undefined;
      let before = new Set<string>();
      for (const step of steps) {
        const previous = experiment;
        experiment = revise(previous, documentWith({ traffic: step / 2 }), [mate]);
        const now = new Set<string>();
        const assigner = compileAssigner([mate, experiment]);
        for (const unit of units) {
          const arms = assigner
            .assign("home", unit, noAttributes)
            .filter((got) => got.experiment === "exp")
            .map((got) => got.arm);
          for (const arm of arms) {
            now.add(unit);
            expect(seen.get(unit) ?? arm).toBe(arm);
            seen.set(unit, arm);
          }
        }
        const grows = step / 2 >= (previous?.traffic ?? 0);
        const [smaller, larger] = grows ? [before, now] : [now, before];
        expect([...smaller].every((unit) => larger.has(unit))).toBe(true);
        expect(experiment.phase).toBe(1);
        before = now;
      }
    }),
    { numRuns: 60 },
  );
});

/** Any number of mates that come, grow, shrink and go, in any order. */
const moves = fc.array(fc.record({ id: fc.constantFrom("a", "b", "c", "d"), traffic: share }), {
  maxLength: 25,
});

test("experiments of a layer never share a place, and hold exactly their traffic", () => {
  fc.assert(
    fc.property(moves, (writes) => {
      const standing = new Map<string, Experiment>();
      for (const { id, traffic } of writes) {
        const others = [...standing.values()].filter((one) => one.id !== id);
        const free = 1 - sizeOf(others.flatMap(({ ranges }) => ranges));
        const next = attempt(() => revise(standing.get(id), documentWith({ id, traffic }), others));
        expect(next === undefined).toBe(traffic > free + 1e-9);
        if (next !== undefined) standing.set(id, next);
        const ranges = [...standing.values()].flatMap((one) => one.ranges);
        expect(overlap(ranges)).toBe(false);
        for (const one of standing.values()) expect(sizeOf(one.ranges)).toBeCloseTo(one.traffic, 9);
      }
      const assigner = compileAssigner([...standing.values()]);
      for (const unit of units.slice(0, 50)) {
        expect(assigner.assign("home", unit, noAttributes).length).toBeLessThanOrEqual(1);
      }
    }),
    { numRuns: 300 },
  );
});

test("growing keeps every range it had, shrinking takes none that it had not", () => {
  fc.assert(
    fc.property(share, share, share, (first, second, taken) => {
      const mates = [{ from: 0, to: taken / 2 }];
      const before = allocate([], first / 2, mates);
      const after = allocate(before, second / 2, mates);
      const [inner, outer] = first <= second ? [before, after] : [after, before];
      for (const { from, to } of inner) {
        expect(outer.some((range) => range.from <= from && to <= range.to)).toBe(true);
      }
    }),
  );
});

test("shares that a person writes as summing up to 1 always fit, in any order of arrival", () => {
  const split = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(split, (weights) => {
      const sum = weights.reduce((total, weight) => total + weight, 0);
      const documents = weights.map((weight, i) => documentWith({ id: `e${i}`, traffic: weight / sum }));
      expect(reviseAll([], documents).changed).toHaveLength(weights.length);
    }),
  );
});

test("one write may move traffic between experiments, whichever comes first", () => {
  fc.assert(
    fc.property(share, share, (before, after) => {
      const pair = (share: number) => [
        documentWith({ id: "a", traffic: share }),
        documentWith({ id: "b", traffic: Number((1 - share).toFixed(6)) }),
      ];
      const { experiments } = reviseAll([], pair(before));
      const moved = reviseAll(experiments, pair(after)).experiments;
      expect(overlap(moved.flatMap(({ ranges }) => ranges))).toBe(false);
      expect(sizeOf(moved.flatMap(({ ranges }) => ranges))).toBeCloseTo(1, 9);
    }),
  );
});

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

function sizeOf(ranges: readonly TrafficRange[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from, 0);
}

function overlap(ranges: readonly TrafficRange[]): boolean {
  return ranges.some((a, i) => ranges.some((b, j) => i !== j && a.from < b.to && b.from < a.to));
}
