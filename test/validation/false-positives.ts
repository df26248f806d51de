/** A/A experiments: both arms are the same, and a 5 % test should find something in 5 % of them. */
import type { Random } from "../../src/domain/clock.ts";
import {
  adjustByRole,
  adjustedArms,
  difference,
  type Estimate,
  estimateOfMean,
  estimateOfQuantile,
  marginalOf,
  postStratified,
  proportionDifference,
} from "../../src/statistics/statistics.ts";
import { quantileSumsOf } from "../support/unit-events.ts";
import { bucketedMomentsOf, pooledCap, winsorised } from "../support/winsorised.ts";
import { draws, found, given, lognormal, normal, successes } from "./draws.ts";
import { fivePercent, type Scenario } from "./scenario.ts";
import {
  armOf,
  clickingUnits,
  clickingUnitsWithPast,
  latencies,
  mostlyZero,
  ratioOfRequests,
  ratioOfUnits,
  strataOf,
  unitsWithPast,
} from "./worlds.ts";

const section = "A/A: found different at 5 %";

/** One test of two arms. */
function twoArms(
  id: string,
  what: string,
  runs: number,
  test: (random: Random) => boolean | undefined,
): Scenario {
  return {
    id,
    section,
    what,
    runs,
    questions: [{ name: "found", bar: fivePercent }],
    prepare: () => (random) => [test(random)],
  };
}

function means(
  id: string,
  what: string,
  { treated, control, runs = 10_000 }: { treated: number; control: number; runs?: number },
  draw: (random: Random) => number,
): Scenario {
  return twoArms(id, what, runs, (random) =>
    found(armOf(random, treated, draw), armOf(random, control, draw)),
  );
}

function pairFound(arms: readonly (Estimate | undefined)[]): boolean {
  return given(difference(arms[1] as Estimate, arms[0] as Estimate, 0.05)).pValue < 0.05;
}

export const falsePositives: readonly Scenario[] = [
  means("gaussian", "Gaussian values, 100 units an arm", { treated: 100, control: 100 }, normal),
  means("few", "Gaussian values, 50 units an arm", { treated: 50, control: 50 }, normal),
  means(
    "rare",
    "a yes or no of 1 %, 2,000 units an arm",
    { treated: 2_000, control: 2_000, runs: 6_000 },
    (random) => Number(random.next() < 0.01),
  ),
  means(
    "zero-inflated",
    "70 % zeros, else lognormal, 250 units an arm",
    { treated: 250, control: 250 },
    mostlyZero,
  ),
  means(
    "few-skewed",
    "70 % zeros, else lognormal, 50 units an arm",
    { treated: 50, control: 50 },
    mostlyZero,
  ),
  means("uneven", "Gaussian values, split 90 to 10 of 300 units", { treated: 30, control: 270 }, normal),
  means(
    "uneven-skewed",
    "70 % zeros, else lognormal, split 90 to 10 of 5,000 units",
    { treated: 500, control: 4_500, runs: 4_000 },
    mostlyZero,
  ),
  twoArms("ratio", "a ratio of clustered requests by the delta method, 100 units an arm", 6_000, (random) =>
    found(ratioOfUnits(clickingUnits(random, 100)), ratioOfUnits(clickingUnits(random, 100))),
  ),
  twoArms("cuped", "CUPED, a third of the units without a past, 200 units an arm", 6_000, (random) => {
    const arms = [unitsWithPast(random, 200), unitsWithPast(random, 200)];
    return pairFound(given(adjustedArms(arms, { numerator: 0, covariates: [1, 2] })).arms);
  }),
  twoArms("cuped-ratio", "CUPED of a ratio, a third without a past, 120 units an arm", 4_000, (random) => {
    const arms = [clickingUnitsWithPast(random, 120), clickingUnitsWithPast(random, 120)];
    const outcome = { numerator: 0, denominator: 1, covariates: [2, 3, 4] };
    return pairFound(given(adjustedArms(arms, outcome)).arms);
  }),
  {
    id: "three-arms",
    section,
    what: "two treated arms and control under Holm, 100 units an arm: any found",
    runs: 10_000,
    questions: [{ name: "found", bar: fivePercent }],
    prepare: () => (random) => {
      const [control, ...treated] = draws(3, () => given(armOf(random, 100, normal)));
      const tests = treated.map((arm) => ({
        role: "primary" as const,
        pValue: given(difference(arm, control as Estimate, 0.05)).pValue,
      }));
      return [adjustByRole(tests).some(({ pValue }) => (pValue ?? 1) < 0.05)];
    },
  },
  twoArms("median", "the median of latencies that cluster in units, 80 units an arm", 4_000, (random) =>
    found(latencies(random, 80, 0.5), latencies(random, 80, 0.5)),
  ),
  twoArms("p10", "p10 of latencies that cluster in units, 80 units an arm", 4_000, (random) =>
    found(latencies(random, 80, 0.1), latencies(random, 80, 0.1)),
  ),
  twoArms("p90", "p90 of latencies that cluster in units, 80 units an arm", 4_000, (random) =>
    found(latencies(random, 80, 0.9), latencies(random, 80, 0.9)),
  ),
  twoArms("p90-more", "p90 of latencies that cluster in units, 400 units an arm", 3_000, (random) =>
    found(latencies(random, 400, 0.9), latencies(random, 400, 0.9)),
  ),
  twoArms("p99", "p99 of latencies that cluster in units, 1,000 units an arm", 4_000, (random) =>
    found(latencies(random, 1_000, 0.99), latencies(random, 1_000, 0.99)),
  ),
  twoArms("strata", "post-stratified over six unequal strata, 90 units an arm", 4_000, (random) =>
    pairFound(given(postStratified([strataOf(random, 90), strataOf(random, 90)])).arms),
  ),
  twoArms("winsorised", "heavy tails winsorised at a pooled 95 %, 100 units an arm", 4_000, (random) => {
    const arms = draws(2, () =>
      bucketedMomentsOf(
        draws(100, () => [lognormal(random, 1.5)]),
        1,
      ),
    );
    const cap = given(pooledCap(arms, 0.95));
    return pairFound(arms.map((arm) => given(estimateOfMean(marginalOf(winsorised(arm, cap), 0)))));
  }),
  {
    id: "p10-few",
    section,
    what: "p10 of very unequal latencies that cluster in units, 50 units an arm: so few that it errs a little too often",
    runs: 10_000,
    questions: [{ name: "found", bar: fivePercent }],
    prepare: () => (random) => [
      found(latencies(random, 50, 0.1, { spread: 0.7 }), latencies(random, 50, 0.1, { spread: 0.7 })),
    ],
  },
  {
    id: "p90-few",
    section,
    what: "p90 of one very unequal value a unit, 100 units an arm: so few that it is careful, and finds less",
    runs: 4_000,
    questions: [{ name: "found", bar: { kind: "at-most", share: 0.05 } }],
    prepare: () => (random) => {
      const arm = () => estimateOfQuantile(quantileSumsOf(draws(100, () => [lognormal(random, 1.5)])), 0.9);
      return [found(arm(), arm())];
    },
  },
  {
    id: "rare-score",
    section,
    what: "a yes or no of 2 % by the score test, 300 units an arm",
    runs: 10_000,
    questions: [{ name: "found", bar: { kind: "at-most", share: 0.05 } }],
    prepare: () => (random) => {
      const arm = () => ({ units: 300, events: successes(random, 300, 0.02) });
      const tested = proportionDifference(arm(), arm(), 0.05);
      return [tested.ok ? tested.value.pValue < 0.05 : undefined];
    },
  },
  {
    id: "request-level",
    section: "Requests are not units",
    what: "A/A on a ratio randomised by unit, 1 to 76 requests a unit, 26 on average, 100 units an arm",
    runs: 6_000,
    questions: [
      { name: "requests taken as independent", bar: { kind: "shown" } },
      { name: "per unit, delta method", bar: fivePercent },
    ],
    prepare: () => (random) => {
      const [treated, control] = [clickingUnits(random, 100, 1, 76), clickingUnits(random, 100, 1, 76)];
      return [
        found(ratioOfRequests(treated), ratioOfRequests(control)),
        found(ratioOfUnits(treated), ratioOfUnits(control)),
      ];
    },
  },
];
