import type { Experiment, Metric } from "../domain/experiment.ts";
import type { GuardrailHealth } from "../domain/experiment-health.ts";
import type {
  ArmEvidence,
  LogGuardrail,
  MetricGuardrail,
  SampleRatioGuardrail,
} from "../domain/guardrail.ts";
import { counted } from "../domain/number-text.ts";
import { alwaysValid, sequentialSampleRatio } from "../statistics/statistics.ts";
import { percent, whole } from "./evidence-text.ts";
import { worst } from "./worst.ts";

/** What the analysis of the log says of an experiment's phase. */
export interface PhaseFigures {
  readonly phase: number | null;
  readonly arms: readonly { readonly arm: string; readonly units: number }[];
  readonly metrics: readonly {
    readonly metric: string;
    readonly arms: readonly MetricOfArm[];
  }[];
}

interface MetricOfArm {
  readonly arm: string;
  readonly units: number;
  readonly mean: number | null;
  readonly standardError: number | null;
}

/** All units of the phase; one test for its whole life, at alpha over the arms but control. */
export function judgeLog(
  guardrail: LogGuardrail,
  experiment: Experiment,
  figures: PhaseFigures,
  since: string,
): GuardrailHealth {
  const { id, kind, action } = guardrail;
  const treated = experiment.arms.filter(({ control, weight }) => !control && weight > 0);
  const alpha = kind === "srm" ? guardrail.alpha : guardrail.alpha / Math.max(1, treated.length);
  const arms =
    guardrail.kind === "srm"
      ? [judgeSampleRatio(guardrail, experiment, figures)]
      : treated.map((arm) => judgeMetric(guardrail, arm.id, experiment, figures, alpha));
  return { guardrail: id, kind, action, state: worst(arms), alpha, since, arms };
}

/** Of the arm that is furthest from its share. */
function judgeSampleRatio(
  { alpha, minimum }: SampleRatioGuardrail,
  { arms }: Experiment,
  figures: PhaseFigures,
): ArmEvidence {
  const weights = arms.map(({ weight }) => weight);
  const units = arms.map(({ id }) => figures.arms.find(({ arm }) => arm === id)?.units ?? 0);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const seen = units.reduce((total, count) => total + count, 0);
  const pValue = sequentialSampleRatio(units, weights);
  const [worstArm] = arms
    .map(({ id, weight }, at) => ({ id, expected: weight / sum, units: units[at] as number }))
    .sort((a, b) => distance(b, seen) - distance(a, seen));
  const { id, expected, units: count } = worstArm as NonNullable<typeof worstArm>;
  const isEnough = seen >= minimum * weights.filter((weight) => weight > 0).length;
  const state = pValue < alpha ? "breached" : "healthy";
  return {
    arm: id,
    state: isEnough ? state : "undecided",
    count,
    ...(seen > 0 && { estimate: count / seen }),
    bound: expected,
    detail:
      seen === 0
        ? "no units"
        : `${percent(count / seen)} of ${counted(seen, "unit")} are its, expected ${percent(expected)}; p ${pValue.toPrecision(2)}`,
  };
}

function distance(arm: { readonly expected: number; readonly units: number }, seen: number): number {
  return Math.abs(arm.units - arm.expected * seen);
}

/**
 * The difference to control's mean less the margin, with its asymptotic confidence sequence: `T - (1 - margin) C` of a
 * metric that should increase, with the variance `Var(T) + (1 - margin)^2 Var(C)`; of one that should decrease
 * `(1 + margin) C - T`. Breached where the sequence lies below 0.
 */
function judgeMetric(
  { metric, margin, minimum }: MetricGuardrail,
  arm: string,
  { arms, metrics }: Experiment,
  figures: PhaseFigures,
  alpha: number,
): ArmEvidence {
  const control = arms.find((one) => one.control)?.id ?? "";
  const values = figures.metrics.find((one) => one.metric === metric)?.arms ?? [];
  const of = (id: string) => values.find((one) => one.arm === id);
  const [treated, its] = [of(arm), of(control)];
  const count = treated?.units ?? 0;
  const controlCount = its?.units ?? 0;
  const none = { arm, state: "undecided", count, controlCount } as const;
  if (treated === undefined || its === undefined) return { ...none, detail: "no units" };
  const { mean, standardError } = treated;
  if (mean === null || standardError === null || its.mean === null || its.standardError === null) {
    return { ...none, detail: "too few units for a mean" };
  }
  const { goal } = metrics.find(({ id }) => id === metric) as Metric;
  // Of control's distance from zero: a margin is a worsening also where means are negative.
  const worse = margin * Math.abs(its.mean) * (goal === "increase" ? -1 : 1);
  const bound = its.mean + worse;
  const factor = bound / its.mean;
  const estimate = goal === "increase" ? mean - bound : bound - mean;
  const error = Math.sqrt(
    standardError ** 2 + (Number.isFinite(factor) ? factor : 1) ** 2 * its.standardError ** 2,
  );
  const { ciHigh } =
    error === 0
      ? { ciHigh: Number.POSITIVE_INFINITY }
      : alwaysValid(
          { estimate, standardError: error, statistic: estimate / error },
          count + controlCount,
          alpha,
        );
  const isEnough = count >= minimum && controlCount >= minimum;
  const isHealthy = isEnough && estimate >= 0;
  const missing = ciHigh < 0 ? `, missed by ${number(-ciHigh)} at least` : "";
  return {
    arm,
    state: isEnough && ciHigh < 0 ? "breached" : isHealthy ? "healthy" : "undecided",
    count,
    controlCount,
    estimate: mean,
    control: its.mean,
    bound,
    detail: `${metric} is ${number(mean)} over ${counted(count, "unit")}, control's ${number(its.mean)} over ${whole(controlCount)}; allowed ${percent(margin)} worse, ${number(bound)}${missing}`,
  };
}

function number(value: number): string {
  return String(Number(value.toPrecision(4)));
}
