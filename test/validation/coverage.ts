/** Experiments with an effect: how often does the interval miss it? */
import { type Moments, mergeMoments, noMoments } from "../../src/statistics/moments.ts";
import {
  adjustedArms,
  alwaysValid,
  controlIsNearZero,
  difference,
  type Estimate,
  estimateOfMean,
  fieller,
  notWorse,
  proportionDifference,
  relativeLift,
} from "../../src/statistics/statistics.ts";
import { given, misses, normal, successes } from "./draws.ts";
import { fivePercent, type Question, type Scenario } from "./scenario.ts";
import { armOf, clickingUnits, latencies, mostlyZero, ratioOfUnits, unitsWithPast } from "./worlds.ts";

const section = "Coverage: a 95 % interval misses the truth";
const missed: readonly Question[] = [{ name: "missed", bar: fivePercent }];

function fiellerMisses(treated: Estimate, control: Estimate, truth: number): boolean | undefined {
  const set = fieller(treated, control, 0.05);
  if (!set.ok) return undefined;
  if (set.value.kind === "everything") return false;
  // The lift is told with control's sign as it was seen.
  const seen = Math.sign(control.value) * truth;
  const between = set.value.ciLow <= seen && seen <= set.value.ciHigh;
  return set.value.kind === "bounded" ? !between : between;
}

/** Every pair of units is followed by a look. */
function everMissed(next: () => number, pairs: number, alpha: number): boolean {
  let [treated, control]: [Moments, Moments] = [noMoments, noMoments];
  for (let pair = 1; pair <= pairs; pair++) {
    treated = mergeMoments(treated, { count: 1, mean: next(), m2: 0 });
    control = mergeMoments(control, { count: 1, mean: next(), m2: 0 });
    if (pair === 1) continue;
    const [a, b] = [given(estimateOfMean(treated)), given(estimateOfMean(control))];
    const standardError = Math.sqrt(a.variance + b.variance);
    if (standardError === 0) continue;
    const estimate = a.value - b.value;
    const always = alwaysValid(
      { estimate, standardError, statistic: estimate / standardError },
      2 * pair,
      alpha,
    );
    if (always.ciLow > 0 || always.ciHigh < 0) return true;
  }
  return false;
}

export const coverage: readonly Scenario[] = [
  {
    id: "absolute",
    section,
    what: "difference of two means, effect 0.3 spreads, 100 units an arm",
    runs: 10_000,
    questions: missed,
    prepare: () => (random) => {
      const [treated, control] = [
        armOf(random, 100, (next) => 0.3 + normal(next)),
        armOf(random, 100, normal),
      ];
      return [misses(difference(given(treated), given(control), 0.05), 0.3)];
    },
  },
  {
    id: "relative",
    section,
    what: "relative lift of +20 %, 70 % zeros else lognormal, 1,000 units an arm",
    runs: 4_000,
    questions: [
      { name: "delta method", bar: fivePercent },
      { name: "Fieller", bar: fivePercent },
    ],
    prepare: () => (random) => {
      const control = given(armOf(random, 1_000, mostlyZero));
      const treated = given(armOf(random, 1_000, (next) => 1.2 * mostlyZero(next)));
      return [misses(relativeLift(treated, control, 0.05), 0.2), fiellerMisses(treated, control, 0.2)];
    },
  },
  {
    id: "near-zero",
    section,
    what: "relative lift of +50 %, control one standard error from zero, 100 units an arm",
    runs: 6_000,
    questions: [
      { name: "delta method, of which the report then warns", bar: { kind: "shown" } },
      { name: "Fieller", bar: fivePercent },
      { name: "control called near zero", bar: { kind: "at-least", share: 0.99 } },
    ],
    prepare: () => (random) => {
      const control = given(armOf(random, 100, (next) => 0.1 + normal(next)));
      const treated = given(armOf(random, 100, (next) => 0.15 + normal(next)));
      return [
        misses(relativeLift(treated, control, 0.05), 0.5),
        fiellerMisses(treated, control, 0.5),
        controlIsNearZero(control),
      ];
    },
  },
  {
    id: "ratio-lift",
    section,
    what: "a clustered ratio that rises by a fifth: relative lift, 200 units an arm",
    runs: 3_000,
    questions: missed,
    prepare: () => (random) => {
      const control = given(ratioOfUnits(clickingUnits(random, 200)));
      const treated = given(ratioOfUnits(clickingUnits(random, 200, 1.2)));
      return [misses(relativeLift(treated, control, 0.05), 0.2)];
    },
  },
  {
    id: "cuped-effect",
    section,
    what: "CUPED, effect 0.2 spreads, a third without a past, 200 units an arm",
    runs: 6_000,
    questions: missed,
    prepare: () => (random) => {
      const arms = [unitsWithPast(random, 200), unitsWithPast(random, 200, 0.2)];
      const adjusted = given(adjustedArms(arms, { numerator: 0, covariates: [1, 2] })).arms;
      return [misses(difference(adjusted[1] as Estimate, adjusted[0] as Estimate, 0.05), 0.2)];
    },
  },
  {
    id: "quantile-effect",
    section,
    what: "the median of clustered latencies a tenth longer, 100 units an arm",
    runs: 3_000,
    questions: missed,
    prepare: () => (random) => {
      const [treated, control] = [latencies(random, 100, 0.5, { slower: 1.1 }), latencies(random, 100, 0.5)];
      // The logarithm of a latency is symmetric around 0, so the median is 1.
      return [misses(difference(given(treated), given(control), 0.05), 0.1)];
    },
  },
  {
    id: "share-effect",
    section,
    what: "shares of 2 % and 4 % by the score interval, 500 units an arm",
    runs: 10_000,
    questions: [{ name: "missed", bar: { kind: "at-most", share: 0.05 } }],
    prepare: () => (random) => {
      const arm = (share: number) => ({ units: 500, events: successes(random, 500, share) });
      return [misses(proportionDifference(arm(0.04), arm(0.02), 0.05), 0.02)];
    },
  },
  {
    id: "not-worse",
    section,
    what: "non-inferiority, the arm worse by exactly the margin of 5 %, 500 units an arm: called not worse",
    runs: 6_000,
    questions: [{ name: "called not worse at 5 %", bar: fivePercent }],
    prepare: () => (random) => {
      const control = given(armOf(random, 500, (next) => 2 + normal(next)));
      const treated = given(armOf(random, 500, (next) => 1.9 + normal(next)));
      const margin = { goal: "increase", kind: "relative", size: 0.05 } as const;
      const tested = notWorse(treated, control, margin, { alpha: 0.05, horizon: "fixed" });
      return [tested.ok ? tested.value.low > 0 : undefined];
    },
  },
  {
    id: "always-valid",
    section: "Always-valid: misses the truth at any of 5,000 looks",
    what: "Gaussian values, 10,000 units, a look after every pair, alpha 10 %",
    runs: 500,
    questions: [{ name: "ever missed", bar: { kind: "surely-below", share: 0.1 } }],
    prepare: () => (random) => [everMissed(() => normal(random), 5_000, 0.1)],
  },
  {
    id: "always-valid-skewed",
    section: "Always-valid: misses the truth at any of 5,000 looks",
    what: "70 % zeros, else lognormal, 10,000 units, a look after every pair, alpha 10 %",
    runs: 500,
    questions: [{ name: "ever missed", bar: { kind: "surely-below", share: 0.1 } }],
    prepare: () => (random) => [everMissed(() => mostlyZero(random), 5_000, 0.1)],
  },
  {
    id: "always-valid-rare",
    section: "Always-valid: misses the truth at any of 5,000 looks",
    what: "a yes or no of 1 %, 10,000 units, a look after every pair, alpha 10 %",
    runs: 500,
    questions: [{ name: "ever missed", bar: { kind: "at-most", share: 0.1 } }],
    prepare: () => (random) => [everMissed(() => Number(random.next() < 0.01), 5_000, 0.1)],
  },
];
