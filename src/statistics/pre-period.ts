/** The A/A check of the past: before the experiment the arms were treated alike, so their metrics must not differ. */
import { type Answer, type Estimate, noAnswer } from "./estimate.ts";
import { holm } from "./holm.ts";
import { healthAlpha } from "./sample-ratio.ts";
import { type Difference, difference } from "./welch.ts";

export interface PrePeriodMetric {
  readonly name: string;
  /** From outcomes before the first exposure only; undefined where an arm has no units with a past. */
  readonly treated: Estimate | undefined;
  readonly control: Estimate | undefined;
}

export interface PrePeriodCheck {
  readonly name: string;
  readonly difference: Answer<Difference>;
  readonly pValueAdjusted: number | undefined;
  readonly ok: boolean;
}

/** Welch of each metric, its interval at the check's level, Holm over the metrics that have an answer. */
export function prePeriodCheck(metrics: readonly PrePeriodMetric[]): PrePeriodCheck[] {
  const tested = metrics.map(({ name, treated, control }) => ({
    name,
    difference:
      treated === undefined || control === undefined
        ? noAnswer("no-units" as const)
        : difference(treated, control, healthAlpha),
  }));
  const adjusted = holm(
    tested.flatMap((one) => (one.difference.ok ? [one.difference.value.pValue] : [])),
  ).values();
  return tested.map((one) => {
    const pValueAdjusted = one.difference.ok ? adjusted.next().value : undefined;
    return { ...one, pValueAdjusted, ok: pValueAdjusted === undefined || pValueAdjusted >= healthAlpha };
  });
}
