/** A handful of planned looks: with a margin, and what is said of the effect after the stop. */
import type { Random } from "../../src/domain/clock.ts";
import { type Moments, mergeMoments, momentsOf, noMoments } from "../../src/statistics/moments.ts";
import {
  difference,
  driftForPower,
  type Estimate,
  estimateOfMean,
  notWorse,
  repeatedInterval,
  type SequentialBounds,
  sequentialBounds,
  stagewiseResult,
} from "../../src/statistics/statistics.ts";
import type { Difference } from "../../src/statistics/welch.ts";
import { draws, given, misses, normal } from "./draws.ts";
import { fivePercent, type Scenario } from "./scenario.ts";

const section = "Group-sequential: five looks, not evenly spaced, O'Brien-Fleming spending at 5 %";
const fractions = [0.2, 0.35, 0.5, 0.8, 1];

function design(sides: 1 | 2): SequentialBounds {
  return given(sequentialBounds({ alpha: 0.05, sides, spending: "obrien-fleming" }, fractions));
}

/** Treated and control, whose difference is `effect` spreads, after each look. */
function looksOf(
  random: Random,
  unitsOfArm: number,
  effect: number,
): [treated: Estimate, control: Estimate][] {
  let [treated, control]: [Moments, Moments] = [noMoments, noMoments];
  return fractions.map((fraction) => {
    const more = Math.round(fraction * unitsOfArm) - treated.count;
    treated = mergeMoments(treated, momentsOf(draws(more, () => effect + normal(random))));
    control = mergeMoments(control, momentsOf(draws(more, () => normal(random))));
    return [given(estimateOfMean(treated)), given(estimateOfMean(control))];
  });
}

const size = 0.25;
const margin = { goal: "increase", kind: "absolute", size } as const;

/** Not worse than the margin at any look. */
function everNotWorse(random: Random, bounds: SequentialBounds, unitsOfArm: number, effect: number): boolean {
  return looksOf(random, unitsOfArm, effect).some(([treated, control], look) => {
    const { slack, standardError } = given(
      notWorse(treated, control, margin, { alpha: bounds.alpha, horizon: "fixed" }),
    );
    return slack / standardError > (bounds.bounds[look] as number);
  });
}

/** The look at which the experiment stops, and the difference as it is seen there. */
function stopped(differences: readonly Difference[], bounds: SequentialBounds): number {
  const crossed = differences.findIndex(
    ({ statistic }, look) => Math.abs(statistic) > (bounds.bounds[look] as number),
  );
  return crossed < 0 ? differences.length - 1 : crossed;
}

function upTo(bounds: SequentialBounds, look: number): SequentialBounds {
  const [until, ofBounds, spent] = [bounds.fractions, bounds.bounds, bounds.spent].map((all) =>
    all.slice(0, look + 1),
  ) as [number[], number[], number[]];
  return { ...bounds, fractions: until, bounds: ofBounds, spent };
}

export const looks: readonly Scenario[] = [
  {
    id: "looks-margin",
    section,
    what: "non-inferiority with a margin of a quarter of a spread, 400 units an arm",
    runs: 4_000,
    questions: [
      { name: "worse by exactly the margin: called not worse at any look", bar: { kind: "is", share: 0.05 } },
    ],
    prepare: () => {
      const bounds = design(1);
      return (random) => [everNotWorse(random, bounds, 400, -size)];
    },
  },
  {
    id: "looks-margin-power",
    section,
    what: "the same planned for 80 %, no effect",
    runs: 3_000,
    questions: [{ name: "called not worse at any look", bar: { kind: "is", share: 0.8 } }],
    prepare: () => {
      const bounds = design(1);
      // Margin over standard error at the end: size / sqrt(2 / n).
      const unitsOfArm = Math.ceil(2 * (driftForPower(bounds, 0.8) / size) ** 2);
      return (random) => [everNotWorse(random, bounds, unitsOfArm, 0)];
    },
  },
  {
    id: "looks-stopped",
    section,
    what: "an effect of 0.3 spreads, 400 units an arm, stopped at the first look that finds it",
    runs: 2_000,
    questions: [
      { name: "the interval after the stop misses it", bar: fivePercent },
      { name: "the estimate after the stop is above it", bar: { kind: "is", share: 0.5 } },
      { name: "the interval of a test of one look misses it", bar: { kind: "shown" } },
      { name: "the plain estimate is above it", bar: { kind: "shown" } },
      { name: "the repeated interval misses it at any look", bar: fivePercent },
    ],
    prepare: () => {
      const bounds = design(2);
      return (random) => {
        const differences = looksOf(random, 400, 0.3).map(([treated, control]) =>
          given(difference(treated, control, 0.05)),
        );
        const look = stopped(differences, bounds);
        const seen = differences[look] as Difference;
        const after = stagewiseResult(upTo(bounds, look), seen);
        return [
          misses(after, 0.3),
          given(after).estimate > 0.3,
          misses({ ok: true, value: seen }, 0.3),
          seen.estimate > 0.3,
          differences.some((one, at) => misses(repeatedInterval(bounds, at, one), 0.3)),
        ];
      };
    },
  },
];
