import { invalidArgument } from "../domain/error.ts";
import { counted } from "../domain/number-text.ts";
import {
  type Answer,
  type Baseline,
  days,
  detectableEffect,
  type Plan,
  power,
  provableMargin,
  type SequentialBounds,
  sampleInflation,
  sampleSize,
  sequentialBounds,
  simultaneousAlpha,
} from "../statistics/statistics.ts";
import type { Amount, Monitoring, PowerBaseline, PowerQuestion } from "./power-question.ts";
import type { PlannedMonitoring, PowerPlan, PowerReport } from "./power-report.ts";

/** Of the units in the answer. */
const curveSteps = [0.25, 0.5, 0.75, 1, 1.5, 2];

/** Of fewer analysed units in an arm nobody plans an experiment, and t with next to no degrees of freedom takes seconds. */
const fewestOnCurve = 5;

/**
 * Answers what the question leaves open: the units where an effect is given, the effect where units are, the power where
 * both are.
 * @throws {SetlistError} INVALID_ARGUMENT where there is no such experiment, with the reason.
 */
export function powerReport(question: PowerQuestion): PowerReport {
  const { baseline: known, goal, unitsByDay } = question;
  const baseline = statisticalBaseline(question);
  const margin = question.margin && absolute(question.margin, known);
  const plan = planOf(question, margin);
  const sign = goal === "increase" ? 1 : -1;
  const daysOf = (units: number): number | null => {
    const found = unitsByDay.length === 0 ? undefined : days(units, unitsByDay);
    return found?.ok ? found.value : null;
  };
  const { units, effect } = answered(question, plan, baseline, sign);
  const reached = orRefused(power(plan, baseline, effect, units), "the power");
  const arm = (share: number): number => Math.ceil(share * units - 1e-6);
  const [control, treated] = [arm(plan.shares.control), arm(plan.shares.treated)];
  const part = plan.analysed === "triggered" ? plan.triggerRate : 1;
  return {
    asked:
      question.units === undefined
        ? "sample-size"
        : question.effect === undefined
          ? "detectable-effect"
          : "power",
    baseline: known,
    plan: reportedPlan(question, plan, margin),
    answer: {
      units,
      control,
      treated,
      analysed: Math.ceil((control + treated) * part - 1e-6),
      effect: { absolute: effect, relative: known.value === 0 ? null : effect / Math.abs(known.value) },
      power: reached,
      days: daysOf(units),
    },
    curve: curveSteps.flatMap((step) => {
      const at = Math.ceil(step * units);
      if (at * part * Math.min(plan.shares.control, plan.shares.treated) < fewestOnCurve) return [];
      const least =
        margin === undefined
          ? detectableEffect(plan, baseline, at, question.power)
          : provableMargin(plan, baseline, effect, at, question.power);
      const smallest = numberOrNull(least);
      return {
        units: at,
        days: daysOf(at),
        power: numberOrNull(power(plan, baseline, effect, at)),
        detectable: margin === undefined ? smallest : null,
        provableMargin: margin === undefined ? null : smallest,
      };
    }),
    warnings: warningsOf(question, { control, treated, part }, daysOf(units)),
  };
}

function answered(
  question: PowerQuestion,
  plan: Plan,
  baseline: Baseline,
  sign: number,
): { units: number; effect: number } {
  const effect = question.effect && sign * absolute(question.effect, question.baseline);
  if (question.units !== undefined) {
    const found =
      effect ?? orRefused(detectableEffect(plan, baseline, question.units, question.power), "an effect");
    return { units: question.units, effect: found };
  }
  if (effect === undefined) throw invalidArgument("expected an effect, a number of units, or both");
  const isShown = sign * effect + (plan.margin ?? 0) > 0;
  if (!isShown) {
    throw invalidArgument(
      plan.margin === undefined
        ? "the effect: expected one above 0, how much better treated is; a harm is ruled out with a margin"
        : "the effect: expected no more harm than the margin, which no number of units could rule out",
    );
  }
  return { units: orRefused(sampleSize(plan, baseline, effect, question.power), "a sample").units, effect };
}

function numberOrNull(found: Answer<number, string>): number | null {
  return found.ok ? found.value : null;
}

function statisticalBaseline({ baseline, effectMultiplies }: PowerQuestion): Baseline {
  const { kind, value, unitSpread } = baseline;
  const others = effectMultiplies ? "grows" : "constant";
  return { value, unitVariance: unitSpread ** 2, spread: kind === "proportion" ? "proportion" : others };
}

function absolute({ size, relative }: Amount, { value }: PowerBaseline): number {
  if (!relative) return size;
  if (value === 0) throw invalidArgument("a percentage of a baseline of 0 is 0: expected an absolute number");
  return size * Math.abs(value);
}

function planOf(question: PowerQuestion, margin: number | undefined): Plan {
  const { weights, goal, alpha, comparisons, varianceReduction, triggerRate, analysed } = question;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const [control = 0, ...treated] = weights;
  return {
    alpha,
    shares: { control: control / total, treated: Math.min(...treated) / total },
    comparisons,
    goal: goal === "increase" ? "higher" : "lower",
    margin,
    varianceReduction,
    triggerRate,
    analysed,
    monitoring: monitoringOf(
      question.monitoring,
      simultaneousAlpha(alpha, comparisons),
      margin !== undefined,
    ),
  };
}

function monitoringOf(monitoring: Monitoring, alpha: number, oneSided: boolean): Plan["monitoring"] {
  if (monitoring.kind !== "group-sequential") return monitoring.kind;
  const { looks, spending } = monitoring;
  return orRefused(sequentialBounds({ alpha, sides: oneSided ? 1 : 2, spending }, looks), "a design");
}

function reportedPlan(question: PowerQuestion, plan: Plan, margin: number | undefined): PowerPlan {
  const { alpha, comparisons, goal, varianceReduction, triggerRate, analysed, weights } = question;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return {
    alpha,
    alphaPerComparison: simultaneousAlpha(alpha, comparisons),
    power: question.power,
    comparisons,
    shares: weights.map((weight) => weight / total),
    goal,
    margin: margin ?? null,
    effectMultiplies: question.effectMultiplies,
    varianceReduction,
    triggerRate,
    analysed,
    monitoring: reportedMonitoring(plan.monitoring, question),
  };
}

function reportedMonitoring(
  design: "fixed" | "always-valid" | SequentialBounds,
  { monitoring, power: wanted }: PowerQuestion,
): PlannedMonitoring {
  if (typeof design === "string") return { kind: design };
  return {
    kind: "group-sequential",
    spending: monitoring.kind === "group-sequential" ? monitoring.spending : "",
    fractions: design.fractions,
    bounds: design.bounds,
    inflation: sampleInflation(design, wanted),
  };
}

const reasons: Readonly<Record<string, string>> = {
  "no-variance": "the baseline has no spread, so that there is nothing to measure a difference against",
  infinite: "a number is too large",
  "one-unit": "an arm would have fewer than two units",
  "zero-control": "an effect that multiplies a baseline of 0 leaves it at 0",
  "out-of-reach":
    "out of reach: a share would leave 0 to 100 %, what is multiplied would change its sign, or it takes more than 10^12 units",
};

function orRefused<T>(found: Answer<T, string>, what: string): T {
  if (found.ok) return found.value;
  throw invalidArgument(`no answer for ${what}: ${reasons[found.reason] ?? found.reason}`);
}

/** Fewer events in an arm than this make a proportion's normal distribution poor. */
const fewEvents = 10;

function warningsOf(
  question: PowerQuestion,
  { control, treated, part }: { control: number; treated: number; part: number },
  whenDone: number | null,
): string[] {
  const { baseline, unitsByDay } = question;
  const warnings: string[] = [];
  const rarer = Math.min(baseline.value, 1 - baseline.value);
  if (baseline.kind === "proportion" && rarer * Math.min(control, treated) * part < fewEvents) {
    warnings.push(`An arm expects fewer than ${fewEvents} events: the power is a rough figure.`);
  }
  if (baseline.kind !== "proportion" && Math.min(control, treated) * part < 50) {
    warnings.push(
      "An arm has fewer than 50 analysed units: exact only where values are nearly normal; skewed ones need more.",
    );
  }
  if (whenDone === null && unitsByDay.length > 0) {
    warnings.push("As many units do not come: the log's last day brought no new ones.");
  }
  if (baseline.from !== null && unitsByDay.length === 0) {
    warnings.push("Days unknown: the log has no whole day; give --units-per-day.");
  }
  if (baseline.from !== null && baseline.from.units < 100) {
    warnings.push(
      `The baseline is that of ${counted(baseline.from.units, "unit")}: the spread, and all that follows, is uncertain.`,
    );
  }
  return warnings;
}
