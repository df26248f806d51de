/** What the analysis of an experiment says of the next one, which shall be like it. */

import type { AnalysisReport } from "../analysis/analysis.ts";
import type { TriggerComparison } from "../designs/designs.ts";
import { invalidArgument } from "../domain/error.ts";
import type { Experiment } from "../domain/experiment.ts";
import { counted } from "../domain/number-text.ts";
import type { Monitoring, PowerBaseline } from "./power-question.ts";

export interface LogBaseline {
  readonly baseline: PowerBaseline;
  /** The document's, control first. */
  readonly weights: readonly number[];
  readonly goal: "increase" | "decrease";
  /** Primary metrics times treated arms, or treated arms where the metric is no primary. */
  readonly comparisons: number;
  /** As the document's plan has it; without one as the analysis does, which then holds whenever one looks. */
  readonly monitoring: Monitoring;
  /** What CUPED took away in the analysis; 0 where it had no covariate. */
  readonly varianceReduction: number;
  /** Of the units that are compared; 1 where it was not asked for. */
  readonly triggerRate: number;
  /** The metric's own, as a share of control. */
  readonly minimumEffect: number | undefined;
}

/** Whose spread is taken: all units', or the triggered ones' over their differing requests alone, which CUPED does not adjust. */
type Analysed = "everybody" | "triggered";

/**
 * The control arm of one metric.
 * @param triggered reads the trigger rate too, of an experiment that logs counterfactuals.
 * @throws {SetlistError} INVALID_ARGUMENT where the experiment is not healthy, where control has too few units for a spread,
 *   and where a trigger rate is asked for that the log does not tell.
 */
export function logBaseline(
  experiment: Experiment,
  report: AnalysisReport,
  metric: string,
  triggered: Analysed | undefined,
): LogBaseline {
  refuseUnhealthy(report);
  const whole = fromReport(experiment, report, metric);
  return triggered === undefined ? whole : { ...whole, ...fromTrigger(report, metric, triggered) };
}

/** Whose arms lost units unlike each other, or were not alike before, has no control to plan by. */
function refuseUnhealthy({ experiment, health, arms }: AnalysisReport): void {
  const failed = health.checks.find(({ ok }) => ok === false);
  if (failed === undefined || arms.every(({ units }) => units === 0)) return;
  throw invalidArgument(
    `${experiment} is not healthy, so that its numbers are none to plan by; ${failed.name}: ${failed.detail}; ` +
      "see setlist analyze, or give the baseline by flags",
  );
}

/** Of several treated arms the one that differs least often. */
function fromTrigger(report: AnalysisReport, name: string, analysed: Analysed): Partial<LogBaseline> {
  const refuse = (what: string): never => {
    throw invalidArgument(`--trigger-rate log: ${report.experiment} ${what}; give the rate as a number`);
  };
  if (report.trigger === undefined) return refuse("logs no counterfactuals");
  const rateOf = ({ units }: TriggerComparison): number => {
    const sum = (of: "compared" | "triggered") => units.reduce((all, one) => all + one[of], 0);
    return sum("triggered") / Math.max(1, sum("compared"));
  };
  const [least] = report.trigger.comparisons.toSorted((a, b) => rateOf(a) - rateOf(b));
  if (least === undefined || !(rateOf(least) > 0)) return refuse("has no request for which lists differ");
  if (!least.srm.ok) {
    return refuse(`has triggered units that do not stand as the weights promise (SRM, arm ${least.arm})`);
  }
  const triggerRate = rateOf(least);
  if (analysed === "everybody") return { triggerRate };
  const metric = least.metrics.find((one) => one.metric === name);
  const control = metric?.arms.find(({ arm }) => arm === least.versus);
  if (control === undefined) return refuse(`has no trigger analysis of ${name}`);
  if (control.mean === null || control.standardError === null) {
    return refuse(`has ${control.units} triggered units of control, too few for a spread`);
  }
  return {
    triggerRate,
    varianceReduction: 0,
    baseline: {
      kind: report.metrics.find(({ metric }) => metric === name)?.type ?? "mean",
      value: control.mean,
      unitSpread: control.standardError * Math.sqrt(control.units),
      from: { experiment: report.experiment, metric: name, units: control.units },
    },
  };
}

function fromReport(experiment: Experiment, report: AnalysisReport, name: string): LogBaseline {
  const metric = report.metrics.find((one) => one.metric === name);
  if (metric === undefined) throw new Error(`the analysis of ${experiment.id} has no ${name}`);
  const isControl = new Map(experiment.arms.map((arm) => [arm.id, arm.control]));
  const control = metric.arms.find(({ arm }) => isControl.get(arm));
  if (control === undefined || control.mean === null || control.standardError === null) {
    throw invalidArgument(
      `${experiment.id}, ${name}: control has ${counted(control?.units ?? 0, "unit")} in the log, too few for a spread; give the baseline by flags`,
    );
  }
  // An arm without weight gets nobody to compare.
  const arms = experiment.arms
    .filter((arm) => arm.control || arm.weight > 0)
    .sort((a, b) => Number(b.control) - Number(a.control));
  const primaries = report.metrics.filter(({ role }) => role === "primary").length;
  return {
    baseline: {
      kind: metric.type,
      value: control.mean,
      unitSpread: control.standardError * Math.sqrt(control.units),
      from: { experiment: experiment.id, metric: name, units: control.units },
    },
    weights: arms.map(({ weight }) => weight),
    goal: metric.goal,
    comparisons: (metric.role === "primary" ? primaries : 1) * (arms.length - 1),
    monitoring: monitoringOf(experiment),
    triggerRate: 1,
    minimumEffect: experiment.metrics.find(({ id }) => id === name)?.minimumEffect,
    varianceReduction: metric.comparisons.find(({ cuped }) => cuped !== null)?.cuped?.varianceReduction ?? 0,
  };
}

function monitoringOf({ plan }: Experiment): Monitoring {
  const { kind = "always-valid", looks = [1], spending = "obrien-fleming" } = plan ?? {};
  return kind === "group-sequential" ? { kind, looks, spending } : { kind };
}
