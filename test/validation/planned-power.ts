/** Experiments as large as the plan says, with the effect that it was made for: 80 % should find it. */
import type { Random } from "../../src/domain/clock.ts";
import { randomStream } from "../../src/simulation/random-stream.ts";
import {
  type Answer,
  adjustedArms,
  alwaysValid,
  type Baseline,
  difference,
  driftForPower,
  type Estimate,
  notWorse,
  type Plan,
  power,
  sampleSize,
  sequentialBounds,
} from "../../src/statistics/statistics.ts";
import { baselineOf, baselineOfProportion, plainPlan } from "../support/power-plans.ts";
import { draws, found, given, normal } from "./draws.ts";
import type { Scenario } from "./scenario.ts";
import { armOf, clickingUnits, latencies, mostlyZero, ratioOfUnits, unitsWithPast } from "./worlds.ts";

const section = "Planned for 80 % power: found";
const eighty = [{ name: "found", bar: { kind: "is", share: 0.8 } as const }];

const pilots = 200;

/**
 * The baseline of a metric whose variance nobody knows in closed form: the mean of many logs of control, since what one log
 * says of a quantile's spread is a few percent off, however large it is.
 */
function pilot(
  name: string,
  units: number,
  arm: (random: Random, units: number) => Answer<Estimate, string>,
  spread: "constant" | "grows" = "constant",
): Baseline {
  const random = randomStream("pilot", name);
  const logs = draws(pilots, () => given(arm(random, units)));
  const mean = (of: (log: Estimate) => number) => logs.reduce((sum, log) => sum + of(log) / pilots, 0);
  return baselineOf(
    { units, value: mean(({ value }) => value), variance: mean((log) => log.variance) },
    spread,
  );
}

const medianPilot = (spread: "constant" | "grows"): Baseline =>
  pilot("median", 1_000, (random, units) => latencies(random, units, 0.5), spread);

const spreadOfOne: Baseline = { value: 0, unitVariance: 1, spread: "constant" };

interface Planned {
  readonly id: string;
  readonly what: string;
  readonly runs?: number;
  readonly plan?: Partial<Plan>;
  readonly baseline: () => Baseline;
  readonly effect: number;
  readonly finds: (
    random: Random,
    arms: { control: number; treated: number },
    plan: Plan,
  ) => boolean | undefined;
}

function planned({ id, what, runs = 3_000, plan: changes, baseline, effect, finds }: Planned): Scenario {
  return {
    id,
    section,
    what,
    runs,
    questions: eighty,
    prepare: () => {
      const plan = { ...plainPlan, ...changes };
      const size = given(sampleSize(plan, baseline(), effect, 0.8));
      return (random) => [finds(random, size, plan)];
    },
  };
}

export const plannedPower: readonly Scenario[] = [
  planned({
    id: "power-mean",
    what: "a mean, a quarter of a spread",
    baseline: () => spreadOfOne,
    effect: 0.25,
    finds: (random, { control, treated }) =>
      found(
        armOf(random, treated, (next) => 0.25 + normal(next)),
        armOf(random, control, normal),
      ),
  }),
  planned({
    id: "power-uneven",
    what: "a mean, arms of three to one",
    plan: { shares: { control: 0.75, treated: 0.25 } },
    baseline: () => spreadOfOne,
    effect: 0.25,
    finds: (random, { control, treated }) =>
      found(
        armOf(random, treated, (next) => 0.25 + normal(next)),
        armOf(random, control, normal),
      ),
  }),
  planned({
    id: "power-skewed",
    what: "70 % zeros else lognormal, +10 %",
    runs: 1_000,
    baseline: () => pilot("skewed", 5_000, (random, units) => armOf(random, units, mostlyZero)),
    effect: 0.3 * Math.exp(0.5) * 0.1,
    finds: (random, { control, treated }) =>
      found(
        // The effect as a shift, so that the spread is that of the plan.
        armOf(random, treated, (next) => 0.3 * Math.exp(0.5) * 0.1 + mostlyZero(next)),
        armOf(random, control, mostlyZero),
      ),
  }),
  planned({
    id: "power-proportion",
    what: "a proportion, 10 % to 13 %",
    baseline: () => baselineOfProportion(0.1),
    effect: 0.03,
    finds: (random, { control, treated }) =>
      found(
        armOf(random, treated, (next) => Number(next.next() < 0.13)),
        armOf(random, control, (next) => Number(next.next() < 0.1)),
      ),
  }),
  planned({
    id: "power-ratio",
    what: "a clustered ratio, every unit's multiplied by 1.1",
    baseline: () =>
      pilot("ratio", 1_000, (random, units) => ratioOfUnits(clickingUnits(random, units)), "grows"),
    effect: 0.02,
    runs: 1_500,
    finds: (random, { control, treated }) =>
      found(ratioOfUnits(clickingUnits(random, treated, 1.1)), ratioOfUnits(clickingUnits(random, control))),
  }),
  planned({
    id: "power-quantile",
    what: "the median of clustered latencies, every one a tenth longer",
    baseline: () => medianPilot("grows"),
    effect: 0.1,
    runs: 1_500,
    finds: (random, { control, treated }) =>
      found(latencies(random, treated, 0.5, { slower: 1.1 }), latencies(random, control, 0.5)),
  }),
  planned({
    id: "power-quantile-shift",
    what: "the median of clustered latencies, every one longer by a tenth of the median",
    baseline: () => medianPilot("constant"),
    effect: 0.1,
    runs: 1_500,
    finds: (random, { control, treated }) =>
      found(latencies(random, treated, 0.5, { added: 0.1 }), latencies(random, control, 0.5)),
  }),
  planned({
    id: "power-cuped",
    what: "CUPED, the reduction planned from a log: a fifth of a spread, a third without a past",
    // Two thirds of the units have a past that explains 64 %.
    plan: { varianceReduction: (2 / 3) * 0.64 },
    baseline: () => spreadOfOne,
    effect: 0.2,
    finds: (random, { control, treated }) => {
      const arms = [unitsWithPast(random, control), unitsWithPast(random, treated, 0.2)];
      const [before, after] = given(adjustedArms(arms, { numerator: 0, covariates: [1, 2] })).arms;
      return given(difference(after as Estimate, before as Estimate, 0.05)).pValue < 0.05;
    },
  }),
  planned({
    id: "power-trigger",
    what: "a mean, 30 % of the units triggered and only they analysed",
    plan: { triggerRate: 0.3 },
    baseline: () => spreadOfOne,
    effect: 0.25,
    finds: (random, { control, treated }) => {
      const triggered = (units: number) => draws(units, () => random.next()).filter((u) => u < 0.3).length;
      return found(
        armOf(random, triggered(treated), (next) => 0.25 + normal(next)),
        armOf(random, triggered(control), normal),
      );
    },
  }),
  planned({
    id: "power-margin",
    what: "non-inferiority, no effect, a margin of a quarter of a spread",
    plan: { margin: 0.25 },
    baseline: () => spreadOfOne,
    effect: 0,
    finds: (random, { control, treated }) => {
      const margin = { goal: "increase", kind: "absolute", size: 0.25 } as const;
      const arms = [armOf(random, treated, normal), armOf(random, control, normal)].map(given);
      const tested = given(
        notWorse(arms[0] as Estimate, arms[1] as Estimate, margin, { alpha: 0.05, horizon: "fixed" }),
      );
      return tested.low > 0;
    },
  }),
  planned({
    id: "power-always-valid",
    what: "always-valid, at the planned end",
    plan: { monitoring: "always-valid" },
    baseline: () => spreadOfOne,
    effect: 0.25,
    finds: (random, { control, treated }) => {
      const arms = [
        armOf(random, treated, (next) => 0.25 + normal(next)),
        armOf(random, control, normal),
      ].map(given);
      const tested = given(difference(arms[0] as Estimate, arms[1] as Estimate, 0.05));
      return alwaysValid(tested, control + treated, 0.05, control + treated).pValue < 0.05;
    },
  }),
];

/** Sizes of an arm at which the plan's power is held against the simulated. */
export const curveUnits = [50, 100, 150, 200, 250, 300, 400, 500] as const;

export function plannedCurve(): number[] {
  return curveUnits.map((units) => given(power(plainPlan, spreadOfOne, 0.25, 2 * units)));
}

export const curveId = "power-curve";

export const powerCurve: readonly Scenario[] = [
  {
    id: curveId,
    section: "Power at other sizes: found as often as planned",
    what: "a mean, a quarter of a spread, units an arm",
    runs: 3_000,
    questions: plannedCurve().map((share, i) => ({
      name: `${curveUnits[i]}`,
      bar: { kind: "is" as const, share },
    })),
    prepare: () => (random) =>
      curveUnits.map((units) =>
        found(
          armOf(random, units, (next) => 0.25 + normal(next)),
          armOf(random, units, normal),
        ),
      ),
  },
  {
    id: "group-sequential-power",
    section,
    what: "five looks with O'Brien-Fleming spending, at any of them",
    runs: 3_000,
    questions: eighty,
    prepare: () => {
      const fractions = draws(5, (look) => (look + 1) / 5);
      const design = given(
        sequentialBounds({ alpha: 0.05, sides: 2, spending: "obrien-fleming" }, fractions),
      );
      // Effect over standard error at the end: 0.25 / sqrt(2 / n).
      const unitsOfArm = Math.ceil(2 * (driftForPower(design, 0.8) / 0.25) ** 2);
      return (random) => {
        let [sum, taken] = [0, 0];
        return [
          fractions.some((fraction, look) => {
            const until = Math.round(fraction * unitsOfArm);
            for (; taken < until; taken++) sum += 0.25 + normal(random) - normal(random);
            return sum / Math.sqrt(2 * taken) > (design.bounds[look] as number);
          }),
        ];
      };
    },
  },
];
