/** The checks before the verdict: alarms where all is well, and where something is not. */
import type { Random } from "../../src/domain/clock.ts";
import { momentsOf } from "../../src/statistics/moments.ts";
import {
  covariateBalance,
  estimateOfMean,
  exposureLoss,
  type JointMoments,
  jointMomentsOf,
  prePeriodCheck,
  strataSampleRatio,
} from "../../src/statistics/statistics.ts";
import { draws, given, lognormal, normal, successes } from "./draws.ts";
import { alarm, type Question, type Scenario } from "./scenario.ts";

const section = "Health: alarms where all is well, and where not";
const found: Question = { name: "alarm at 0.1 %", bar: { kind: "at-least", share: 0.95 } };

/** What was known of units: two that resemble each other, one very skewed, a yes or no, and one that follows from the others. */
function known(random: Random, units: number, shift = 0): JointMoments {
  const rows = draws(units, () => {
    const [activity, isNew] = [shift + normal(random), Number(random.next() < 0.3)];
    const tenure = 0.8 * activity + 0.6 * normal(random);
    return [activity, tenure, lognormal(random, 1), isNew, activity + tenure];
  });
  return jointMomentsOf(rows, 5);
}

function balance(treated: JointMoments, control: JointMoments): number {
  return given(covariateBalance(treated, control)).pValue;
}

function loss(random: Random, units: readonly number[], lost: readonly number[]): number {
  const arms = units.map((assigned, arm) => ({
    assigned,
    exposed: assigned - successes(random, assigned, lost[arm] as number),
  }));
  return given(exposureLoss(arms)).pValue;
}

/** Five metrics of the weeks before, which resemble each other; of one the treated arm's is higher by `shift`. */
function pastAlarm(random: Random, shift: number): boolean {
  const arm = (higher: number) => {
    const rows = draws(200, () => {
      const activity = normal(random);
      return draws(5, (metric) => activity + normal(random) + (metric === 3 ? higher : 0));
    });
    return draws(5, (metric) => given(estimateOfMean(momentsOf(rows.map((row) => row[metric] as number)))));
  };
  const [treated, control] = [arm(shift), arm(0)];
  const metrics = treated.map((one, i) => ({ name: `${i}`, treated: one, control: control[i] }));
  return prePeriodCheck(metrics).some(({ ok }) => !ok);
}

/** Fourteen days of 1,000 units, dealt evenly but for what `share` says of the day. */
function daysAlarm(random: Random, share: (day: number) => number): boolean {
  const strata = draws(14, (day) => {
    const treated = successes(random, 1_000, share(day));
    return { name: `${day}`, units: [1_000 - treated, treated] };
  });
  return strataSampleRatio(strata, [1, 1]).some(({ ok }) => !ok);
}

function check(
  id: string,
  what: string,
  runs: number,
  questions: readonly Question[],
  run: (random: Random) => readonly (boolean | undefined)[],
): Scenario {
  return { id, section, what, runs, questions, prepare: () => run };
}

function alarms(pValue: number): boolean[] {
  return [pValue < 0.05, pValue < 0.001];
}

const quiet: readonly Question[] = [
  { name: "p below 5 %", bar: { kind: "is", share: 0.05 } },
  { name: "alarm at 0.1 %", bar: { kind: "is", share: alarm } },
];
const quietOfAll: readonly Question[] = [
  { name: "any alarm at 0.1 %", bar: { kind: "at-most", share: alarm } },
];

export const checks: readonly Scenario[] = [
  check(
    "balance",
    "balance of five covariates, one skewed, one redundant, 200 units an arm",
    10_000,
    quiet,
    (random) => alarms(balance(known(random, 200), known(random, 200))),
  ),
  check("balance-uneven", "balance of the same five, 500 units against 100", 6_000, quiet, (random) =>
    alarms(balance(known(random, 100), known(random, 500))),
  ),
  check(
    "balance-found",
    "one covariate higher by three tenths of a spread, 1,000 units an arm",
    500,
    [found],
    (random) => [balance(known(random, 1_000, 0.3), known(random, 1_000)) < alarm],
  ),
  check(
    "loss",
    "5 % of the exposures lost in all of three arms, 400, 800 and 800 units",
    10_000,
    quiet,
    (random) => alarms(loss(random, [400, 800, 800], [0.05, 0.05, 0.05])),
  ),
  check("loss-found", "2 % lost in control, 3 % in treated, 20,000 units an arm", 300, [found], (random) => [
    loss(random, [20_000, 20_000], [0.02, 0.03]) < alarm,
  ]),
  check("past", "the past's A/A check of five metrics, 200 units an arm", 10_000, quietOfAll, (random) => [
    pastAlarm(random, 0),
  ]),
  check("past-found", "one of five metrics higher by 0.6 spreads already before", 500, [found], (random) => [
    pastAlarm(random, 0.6 * Math.SQRT2),
  ]),
  check("days", "the sample ratio of fourteen days, 1,000 units each", 4_000, quietOfAll, (random) => [
    daysAlarm(random, () => 0.5),
  ]),
  check(
    "days-found",
    "60 to 40 on one day, and 40 to 60 on another, so that the total is even",
    300,
    [found],
    (random) => [daysAlarm(random, (day) => (day === 3 ? 0.6 : day === 9 ? 0.4 : 0.5))],
  ),
];
