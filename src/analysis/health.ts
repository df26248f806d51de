/** Health before verdict: is there anything that makes every other number worthless, and what is its likely cause? */
import {
  covariateBalance,
  type Estimate,
  type ExposedArm,
  exposureLoss,
  holm,
  type JointMoments,
  minimumUnits,
  prePeriodCheck,
  type SkewedMoments,
  strataSampleRatio,
} from "../statistics/statistics.ts";
import { count } from "./format.ts";
import { fewEvents } from "./rare-shares.ts";
import type { SampleRatioReport } from "./report.ts";
import type { HealthCheck, HealthReport } from "./report-sections.ts";

/** Units of one stratum by arm. */
export interface StratumUnits {
  readonly name: string;
  readonly units: readonly number[];
}

export interface HealthFindings {
  readonly arms: readonly string[];
  readonly units: readonly number[];
  readonly weights: readonly number[];
  readonly control: number;
  readonly srm: SampleRatioReport;
  readonly crossed: number;
  readonly days: readonly StratumUnits[];
  readonly surfaces: readonly StratumUnits[];
  readonly latencies: readonly StratumUnits[];
  /** By arm, units that were ranked for, and of these those that saw the arm's model; none where that is not known. */
  readonly exposed: readonly ExposedArm[];
  readonly pasts: readonly MetricPast[];
  /** By metric, of each arm; a secondary one decides nothing, and a share is skewed as its events are few. */
  readonly skewed: readonly {
    readonly metric: string;
    readonly decides: boolean;
    readonly isShare: boolean;
    readonly arms: readonly SkewedMoments[];
  }[];
}

/** What was known of the units before they were exposed. */
export interface MetricPast {
  readonly metric: string;
  /** Of each arm the metric as it was then; undefined for an attribute. */
  readonly estimates: readonly (Estimate | undefined)[] | undefined;
  /** Of each arm, the covariates alone. */
  readonly covariates: readonly JointMoments[];
}

/** As strict as the sample ratio: what fails here makes every other number worthless. */
const alpha = 0.001;

/** Of all units: below it, those in several arms are too few to have come of a fault that spoils the others. */
const crossedShareMax = 0.01;

/** Between two arms' shares of units that never saw them: below it, what differs moves no metric that anybody would ship for. */
const lostShareMax = 0.01;

export function healthOf(findings: HealthFindings): HealthReport {
  const split = splitCheck(findings);
  const checks = [
    split,
    ...strataChecks(findings, split.ok === false),
    crossedCheck(findings),
    exposureCheck(findings),
    prePeriod(findings),
    balance(findings),
    enoughUnits(findings),
  ];
  return { ok: checks.every(({ ok }) => ok !== false), checks };
}

function splitCheck({ srm, arms, units, latencies, days, weights }: HealthFindings): HealthCheck {
  const counted = arms.map((arm, i) => `${arm} ${count(units[i] ?? 0)}`).join(", ");
  const failing = (strata: readonly StratumUnits[]): readonly string[] =>
    strataSampleRatio(strata, weights).flatMap(({ name, ok }) => (ok ? [] : [name]));
  const cause = (): string => {
    const [badDays, slow] = [failing(days), failing(latencies)];
    if (badDays.length > 0 && badDays.length < days.length / 2) {
      return `the split is most surely off on ${badDays.slice(0, 3).join(", ")}: look at what was released or failed by then`;
    }
    if (slow.length > 0 && slow.length < latencies.length / 2) {
      return `the split is off where requests are ${slow.slice(0, 3).join(", ")}: one arm loses requests by their speed`;
    }
    return "one arm's requests or exposures are lost, or its bots filtered: compare each arm's error and timeout rates with its missing units";
  };
  return {
    id: "srm-phase",
    name: "Split of the phase",
    ok: srm.pValue === null ? null : srm.ok,
    pValue: srm.pValue,
    detail: counted,
    likelyCause: srm.ok ? null : cause(),
  };
}

function strataChecks(findings: HealthFindings, isSplitBroken: boolean): HealthCheck[] {
  const { weights, days, surfaces, latencies } = findings;
  const check = (
    id: string,
    name: string,
    strata: readonly StratumUnits[],
    likelyCause: string,
    isTold: boolean,
  ): HealthCheck => {
    // One alone is the phase itself.
    const tested = strata.length < 2 ? [] : strataSampleRatio(strata, weights);
    const judged = tested.filter(({ pValueAdjusted }) => pValueAdjusted !== undefined);
    const failed = judged.filter(({ ok }) => !ok);
    const named = failed
      .slice(0, 5)
      .map((one) => `${one.name} (${count(one.units)} units)`)
      .join(", ");
    return {
      id,
      name,
      ok: judged.length === 0 || !isTold ? null : failed.length === 0,
      pValue: judged.length === 0 ? null : Math.min(...judged.map((one) => one.pValueAdjusted ?? 1)),
      detail: failed.length === 0 ? `${judged.length} of ${strata.length} can be tested` : `off: ${named}`,
      // Where all are off, none of them is the reason.
      likelyCause: failed.length === 0 || failed.length === judged.length ? null : likelyCause,
    };
  };
  return [
    check(
      "srm-day",
      "Split by day of first exposure",
      days,
      "something that came and went: a release, an outage or a filter of those days",
      true,
    ),
    check(
      "srm-surface",
      "Split by surface",
      surfaces,
      "one surface loses or repeats an arm's exposures",
      true,
    ),
    // Arms that differ in speed differ here in what they are, and not by a fault: it names the cause of a broken split.
    check(
      "srm-latency",
      "Split by latency before the model",
      latencies,
      "an arm loses requests by their speed, or its features are slower to fetch",
      isSplitBroken,
    ),
  ];
}

function crossedCheck({ crossed, units }: HealthFindings): HealthCheck {
  const all = crossed + units.reduce((sum, count) => sum + count, 0);
  const isMany = crossed > crossedShareMax * all;
  return {
    id: "units-in-several-arms",
    name: "Units in several arms",
    ok: all === 0 ? null : !isMany,
    pValue: null,
    detail: `${count(crossed)} of ${count(all)} units`,
    likelyCause: isMany
      ? "the unit's id changes, or several servers assign with different experiments"
      : null,
  };
}

/**
 * Units that were given an arm and saw its model's list never, only answers without it: how many may differ by arm only by
 * chance, or the arms' models are compared by how often they answer.
 */
function exposureCheck({ exposed, arms }: HealthFindings): HealthCheck {
  const assigned = exposed.reduce((sum, arm) => sum + arm.assigned, 0);
  const lost = exposed.map((arm) => arm.assigned - arm.exposed);
  const tested = exposureLoss(exposed);
  const shares = tested.ok ? tested.value.lost.filter((share) => share !== undefined) : [];
  const isUneven = Math.max(...shares) - Math.min(...shares) > lostShareMax;
  const isLost = tested.ok && tested.value.pValue < alpha && isUneven;
  const isNone = assigned > 0 && lost.every((units) => units === 0);
  const counted = arms.map((arm, i) => `${arm} ${lost[i]} of ${exposed[i]?.assigned}`).join(", ");
  return {
    id: "exposure-loss",
    name: "Exposure loss",
    ok: tested.ok ? !isLost : isNone ? true : null,
    pValue: tested.ok ? tested.value.pValue : null,
    detail:
      assigned === 0
        ? "the log has exposures only, not assignments without one: a loss that differs by arm shows in the split"
        : `units that never saw a list of their arm's model: ${counted} (those that had no answer at all are not in the log, and miss in the split)`,
    likelyCause: isLost
      ? "one arm's model is missing, too slow for the deadline, or fails more often than the other's: look at its fallbacks before its metrics"
      : null,
  };
}

function prePeriod({ pasts, arms, control }: HealthFindings): HealthCheck {
  const others = arms.map((_, i) => i).filter((i) => i !== control);
  const checks = prePeriodCheck(
    pasts.flatMap(({ metric, estimates }) =>
      estimates === undefined
        ? []
        : others.map((arm) => ({
            name: `${metric}, ${arms[arm]}`,
            treated: estimates[arm],
            control: estimates[control],
          })),
    ),
  );
  const judged = checks.filter(({ pValueAdjusted }) => pValueAdjusted !== undefined);
  const failed = judged.filter(({ ok }) => !ok);
  return {
    id: "pre-period",
    name: "A/A check before the experiment",
    ok: judged.length === 0 ? null : failed.length === 0,
    pValue: judged.length === 0 ? null : Math.min(...judged.map((one) => one.pValueAdjusted ?? 1)),
    detail:
      failed.length === 0
        ? `${comparisons(judged.length)} of outcomes before the first exposure`
        : `differed before: ${failed.map(({ name }) => name).join("; ")}`,
    likelyCause:
      failed.length === 0
        ? null
        : "the arms were not alike before: an earlier experiment on the same units with the same salt, or a broken assignment",
  };
}

function balance({ pasts, arms, control }: HealthFindings): HealthCheck {
  const tests = pasts.flatMap(({ metric, covariates }) =>
    arms.flatMap((arm, i) => {
      const [treated, base] = [covariates[i], covariates[control]];
      if (i === control || treated === undefined || base === undefined) return [];
      const test = covariateBalance(treated, base);
      return test.ok ? [{ name: `${metric}, ${arm}`, pValue: test.value.pValue }] : [];
    }),
  );
  const adjusted = holm(tests.map(({ pValue }) => pValue));
  const failed = tests.filter((_, i) => (adjusted[i] as number) < alpha);
  return {
    id: "covariate-balance",
    name: "Covariate balance",
    ok: tests.length === 0 ? null : failed.length === 0,
    pValue: tests.length === 0 ? null : Math.min(...adjusted),
    detail:
      failed.length === 0
        ? `${comparisons(tests.length)} of covariates`
        : `differ: ${failed.map(({ name }) => name).join("; ")}`,
    likelyCause:
      failed.length === 0
        ? null
        : "one arm loses a kind of unit, or the covariate is of a time after the exposure",
  };
}

/** Too few are no fault: there is nothing to be said yet of what decides. */
function enoughUnits({ skewed, arms }: HealthFindings): HealthCheck {
  const lackingIn = ({ isShare, arms: moments }: (typeof skewed)[number]): string[] =>
    moments.flatMap((one, i) => {
      const lacking = (isShare && fewEventsIn(one)) || tooFewIn(one, isShare);
      return lacking === undefined ? [] : [`${lacking} in ${arms[i]}`];
    });
  const few = skewed
    .filter(({ decides }) => decides)
    .map((one) => ({ metric: one.metric, lacking: lackingIn(one) }))
    .filter(({ lacking }) => lacking.length > 0)
    .map(({ metric, lacking }) => `${metric} has ${lacking.join(", ")}`);
  // By name alone: with their numbers they would bury those that a verdict waits for.
  const fewOfOthers = skewed.filter((one) => !one.decides && lackingIn(one).length > 0);
  const others =
    fewOfOthers.length === 0
      ? ""
      : `; too few also for what does not decide: ${fewOfOthers.map(({ metric }) => metric).join(", ")}`;
  return {
    id: "enough-units",
    name: "Enough units",
    ok: skewed.length === 0 || few.length > 0 ? null : true,
    pValue: null,
    detail: `${few.length === 0 ? "as many as the skewness of each deciding metric asks for" : few.join("; ")}${others}`,
    likelyCause:
      few.length === 0
        ? null
        : "more units are needed before an average of values so skewed is nearly normal",
  };
}

function comparisons(made: number): string {
  return made === 1 ? "1 comparison" : `${made} comparisons`;
}

/** A share's score test asks for events, and for no more units than a mean without skewness. */
function tooFewIn(moments: SkewedMoments, isShare: boolean): string | undefined {
  const { units, needed, ok } = minimumUnits(isShare ? { ...moments, m3: 0 } : moments);
  return ok ? undefined : `${count(units)} of ${count(needed)} units`;
}

function fewEventsIn({ count, mean }: SkewedMoments): string | undefined {
  const events = Math.round(Math.min(mean, 1 - mean) * count);
  return count > 0 && events < fewEvents
    ? `${events} of ${fewEvents} ${mean > 0.5 ? "units without it" : "events"}`
    : undefined;
}
