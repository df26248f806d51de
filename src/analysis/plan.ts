/** When a result counts: what the plan that was fixed beforehand says of the units that there are by now. */
import type { AnalysisPlan, Experiment } from "../domain/experiment.ts";
import { count, counted } from "../domain/number-text.ts";
import {
  alwaysValidTunedUnits,
  type OneSided,
  type SequentialBounds,
  sequentialBounds,
} from "../statistics/statistics.ts";
import type { PlanLook } from "./plan-look.ts";
import type { PlanReport } from "./report-sections.ts";

export interface Horizon {
  readonly report: PlanReport;
  /** At which the always-valid interval is tightest; undefined where nobody planned. */
  readonly tunedUnits: number | undefined;
  /** Of a group-sequential plan, at and after its first look. */
  readonly design: SequentialBounds | undefined;
  readonly warnings: readonly string[];
}

/** Comparisons of primary metrics, one for each arm but control. */
export function familyOf({ metrics, arms }: Pick<Experiment, "metrics" | "arms">): number {
  return metrics.filter(({ role }) => role === "primary").length * (arms.length - 1);
}

/**
 * Without a plan results hold whenever one looks. The looks of a group-sequential plan were taken where it says.
 * @param looked what is decided on: the last look whose outcomes are all there, null where there is none; left out
 * where the data has no times, and is what it is when the last look that is due is taken.
 * @param family comparisons of primary metrics: each has that part of alpha in a group-sequential test.
 */
export function horizonOf(
  plan: AnalysisPlan | undefined,
  units: number,
  asOf: Date,
  alpha: number,
  family: number,
  looked: PlanLook | "now" | null = "now",
): Horizon {
  const kind = plan?.kind ?? "always-valid";
  const plannedUnits = plan?.units ?? null;
  const plannedEnd = plan?.end === undefined ? null : new Date(plan.end).toISOString();
  const isThere =
    plannedUnits === null ? plannedEnd !== null && asOf.toISOString() >= plannedEnd : units >= plannedUnits;
  const judged = looked === "now" ? units : (looked?.units ?? 0);
  const ended = isThere && looked !== null && (plannedUnits === null || judged >= plannedUnits);
  const report: PlanReport = { kind, plannedUnits, units, plannedEnd, ended };
  const data =
    looked === "now" || looked === null
      ? []
      : [
          `The verdict is of the units that came until ${looked.until.toISOString()}, the look that was planned; what came later is in the numbers, and changes no verdict.`,
        ];
  const none = { report, tunedUnits: plannedUnits ?? undefined, design: undefined };
  if (plan?.kind === "fixed" && !ended) {
    const until =
      plannedUnits === null
        ? `until ${plannedEnd}`
        : `with ${counted(plannedUnits, "unit")}, of which ${count(units)} are there`;
    return {
      ...none,
      warnings: [
        `The plan is one look ${until}: a p-value or interval that is read before then is wrong more often than it says; read the always-valid one.`,
      ],
    };
  }
  if (plan?.kind !== "group-sequential" || plannedUnits === null) return { ...none, warnings: data };
  const fraction = judged / plannedUnits;
  const due = (plan.looks ?? []).filter((look) => look <= fraction);
  const next = plan.looks?.[due.length];
  const when =
    next === undefined ? "" : `the next look is at ${counted(Math.ceil(next * plannedUnits), "unit")}`;
  if (due.length === 0) return { ...none, warnings: [`No look is due yet: ${when}.`] };
  const spending = plan.spending ?? "obrien-fleming";
  const design = sequentialBounds(
    { alpha: alpha / Math.max(1, family), sides: 2, spending },
    looked === "now" ? [...due.slice(0, -1), Math.min(1, fraction)] : due,
    next === undefined,
  );
  return {
    ...none,
    design: design.ok ? design.value : undefined,
    warnings: [
      ...(next === undefined ? [] : [`Look ${due.length} of ${plan.looks?.length}: ${when}.`]),
      ...data,
    ],
  };
}

/** One look at a fixed plan's end; before it, and otherwise, whenever one likes. */
export function oneSidedTest(alpha: number, { report, tunedUnits }: Horizon): OneSided {
  return report.kind === "fixed" && report.ended
    ? { alpha, horizon: "fixed" }
    : { alpha, horizon: "always-valid", tunedUnits: tunedUnits ?? alwaysValidTunedUnits };
}
