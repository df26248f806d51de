/** Intervals of adjusted estimates around an effect that is known. */
import type { Random } from "../../src/domain/clock.ts";
import { crossMomentsOf } from "../../src/statistics/moments.ts";
import { upperNormal } from "../../src/statistics/normal.ts";
import {
  adjustedArms,
  difference,
  dilutedEffect,
  type Estimate,
  estimateOfMean,
  marginalOf,
  postStratified,
  relativeLift,
  type TriggeredArm,
} from "../../src/statistics/statistics.ts";
import { bucketedMomentsOf, pooledCap, winsorised } from "../support/winsorised.ts";
import { draws, given, lognormal, misses, successes } from "./draws.ts";
import { fivePercent, type Question, type Scenario } from "./scenario.ts";
import { clickingUnits, clickingUnitsWithPast, strataOf } from "./worlds.ts";

const section = "Coverage: a 95 % interval misses the truth";
const missed: readonly Question[] = [{ name: "missed", bar: fivePercent }];

const heavy = 1.5;

/** The mean of `min(X, cap)` of a lognormal X around `scale`: it is `scale` times that of a cap as much lower. */
function cappedMean(cap: number, scale: number): number {
  const at = Math.log(cap / scale) / heavy;
  return scale * Math.exp((heavy * heavy) / 2) * upperNormal(heavy - at) + cap * upperNormal(at);
}

/** Three units in ten are triggered, and only their taste is lifted. */
function triggeredArm(random: Random, units: number, lift: number, isRatio: boolean): TriggeredArm {
  const triggered = successes(random, units, 0.3);
  const moments = (count: number, times: number) =>
    crossMomentsOf(
      clickingUnits(random, count, times).map(([views, clicks]): [number, number] => [
        isRatio ? views : 1,
        clicks,
      ]),
    );
  return { triggered: moments(triggered, lift), others: moments(units - triggered, 1) };
}

/** On average of a unit of `clickingUnits`: `1 + 60 u^2`, rounded down. */
const viewsOfUnit = draws(60, (at) => Math.sqrt((at + 1) / 60)).reduce(
  (sum, reached) => sum + 1 - reached,
  1,
);

function dilution(id: string, what: string, isRatio: boolean): Scenario {
  return {
    id,
    section,
    what,
    runs: 3_000,
    questions: [
      { name: "absolute, missed", bar: fivePercent },
      { name: "relative, missed", bar: fivePercent },
    ],
    prepare: () => (random) => {
      const diluted = given(
        dilutedEffect(
          triggeredArm(random, 1_000, 1.3, isRatio),
          triggeredArm(random, 1_000, 1, isRatio),
          0.05,
        ),
      );
      const { relative } = diluted;
      const lifted = 0.3 * 0.3 * 0.2 * (isRatio ? 1 : viewsOfUnit);
      return [
        misses({ ok: true, value: diluted.absolute }, lifted),
        relative && misses({ ok: true, value: relative }, 0.3 * 0.3),
      ];
    },
  };
}

export const adjustedCoverage: readonly Scenario[] = [
  {
    id: "cuped-ratio-effect",
    section,
    what: "CUPED of a ratio that rises by a fifth, a third without a past, 200 units an arm: relative lift",
    runs: 3_000,
    questions: missed,
    prepare: () => (random) => {
      const arms = [clickingUnitsWithPast(random, 200), clickingUnitsWithPast(random, 200, 1.2)];
      const outcome = { numerator: 0, denominator: 1, covariates: [2, 3, 4] };
      const [control, treated] = given(adjustedArms(arms, outcome)).arms;
      return [misses(relativeLift(treated as Estimate, control as Estimate, 0.05), 0.2)];
    },
  },
  {
    id: "strata-effect",
    section,
    what: "post-stratified over six unequal strata, an effect of 1, 90 units an arm",
    runs: 4_000,
    questions: missed,
    prepare: () => (random) => {
      const [treated, control] = given(postStratified([strataOf(random, 90, 1), strataOf(random, 90)])).arms;
      return [misses(difference(treated as Estimate, control as Estimate, 0.05), 1)];
    },
  },
  {
    id: "winsorised-effect",
    section,
    what: "heavy tails a fifth larger, winsorised at a pooled 95 %, 300 units an arm: the difference below the cap",
    runs: 4_000,
    questions: missed,
    prepare: () => (random) => {
      const arms = [1.2, 1].map((scale) =>
        bucketedMomentsOf(
          draws(300, () => [scale * lognormal(random, heavy)]),
          1,
        ),
      );
      const cap = given(pooledCap(arms, 0.95));
      const [treated, control] = arms.map((arm) =>
        given(estimateOfMean(marginalOf(winsorised(arm, cap), 0))),
      );
      const truth = cappedMean(cap, 1.2) - cappedMean(cap, 1);
      return [misses(difference(treated as Estimate, control as Estimate, 0.05), truth)];
    },
  },
  dilution(
    "dilution",
    "clicks a unit, up by 30 % in the triggered 30 %, diluted to all, 1,000 units an arm",
    false,
  ),
  dilution(
    "dilution-ratio",
    "clicks a view, likewise up in the triggered 30 %, diluted to all, 1,000 units an arm",
    true,
  ),
];
