/** Effects that differ between segments of units, or fade with the days, and effects that do not. */
import type { Random } from "../../src/domain/clock.ts";
import {
  difference,
  heterogeneity,
  holm,
  jointMomentsOf,
  type SegmentEffect,
  trendWithinUnits,
} from "../../src/statistics/statistics.ts";
import { draws, given, misses, normal } from "./draws.ts";
import { fivePercent, type Scenario } from "./scenario.ts";
import { armOf } from "./worlds.ts";

const days = 7;
const section = "Segments and novelty";

/** Five segments of different spreads. */
function segmentsOf(random: Random, units: number, effect: (segment: number) => number): SegmentEffect[] {
  return draws(5, (segment) => {
    const value = (next: Random): number => (1 + segment) * normal(next);
    const [treated, control] = [
      armOf(random, units, (next) => effect(segment) + value(next)),
      armOf(random, units, value),
    ];
    const { estimate, standardError } = given(difference(given(treated), given(control), 0.05));
    return { estimate, standardError };
  });
}

/** Interaction found; and, by Holm, any segment found to differ from the others. */
function interaction(random: Random, units: number, effect: (segment: number) => number): boolean[] {
  const { pValue, against } = given(heterogeneity(segmentsOf(random, units, effect)));
  return [pValue < 0.05, holm(against.map((one) => one.pValue)).some((adjusted) => adjusted < 0.05)];
}

/** Seven days of the same units, each with a level of its own, and weekends that are busier. */
function slopeOf(random: Random, units: number, effect: (day: number) => number) {
  const rows = draws(units, () => {
    const own = normal(random);
    return draws(days, (day) => own + (day > 4 ? 1 : 0) + 0.8 * normal(random) + effect(day));
  });
  const arm = jointMomentsOf(rows, days);
  return given(
    trendWithinUnits(
      arm,
      draws(days, (day) => day),
    ),
  );
}

function novelty(random: Random, units: number, effect: (day: number) => number, slope: number) {
  const tested = difference(
    slopeOf(random, units, effect),
    slopeOf(random, units, () => 0),
    0.05,
  );
  return [given(tested).pValue < 0.05, misses(tested, slope)];
}

export const segments: readonly Scenario[] = [
  {
    id: "segments",
    section,
    what: "five segments with one effect, 60 units an arm in each",
    runs: 4_000,
    questions: [
      { name: "interaction found", bar: fivePercent },
      { name: "any segment found to differ, by Holm", bar: { kind: "at-most", share: 0.05 } },
    ],
    prepare: () => (random) => interaction(random, 60, () => 0.5),
  },
  {
    id: "segments-found",
    section,
    what: "one of five segments has no effect, the others one of 0.7, 200 units an arm in each",
    runs: 500,
    questions: [
      { name: "interaction found", bar: { kind: "at-least", share: 0.8 } },
      { name: "any segment found to differ, by Holm", bar: { kind: "at-least", share: 0.8 } },
    ],
    prepare: () => (random) => interaction(random, 200, (segment) => (segment === 0 ? 0 : 0.7)),
  },
  {
    id: "novelty",
    section,
    what: "an effect that is the same on all of seven days, 100 units an arm",
    runs: 4_000,
    questions: [{ name: "a trend found", bar: fivePercent }],
    prepare: () => (random) => novelty(random, 100, () => 0.3, 0).slice(0, 1),
  },
  {
    id: "novelty-found",
    section,
    what: "an effect that fades from 0.6 to nothing in a week, 60 units an arm",
    runs: 2_000,
    questions: [
      { name: "a trend found", bar: { kind: "at-least", share: 0.9 } },
      { name: "the trend's 95 % interval misses it", bar: fivePercent },
    ],
    prepare: () => (random) => novelty(random, 60, (day) => 0.6 - 0.1 * day, -0.1),
  },
];
