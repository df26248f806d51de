/**
 * The data of a look that a plan has: what is there when its last unit comes, with the outcomes that these units' requests may
 * have until the attribution window ends. What comes later changes no look, so that whoever repeats an analysis between two
 * of them, or after the last, sees the same result again and has not looked once more.
 */

import type { AnalysisPlan, Experiment } from "../domain/experiment.ts";
import { durationMs } from "../experiments/experiments.ts";
import { type LogCut, type LogDesign, type ResultRow, userPrefix } from "../measurement/measurement.ts";

export interface PlanLook {
  /** Of all arms, as planned. */
  readonly units: number;
  /** UTC: the time of its last unit, and that from which its outcomes are all there. */
  readonly until: Date;
  readonly matures: Date;
}

/** When each look's units were there: asked for where the plan has looks at numbers of units. */
export function looksDesign(plan: AnalysisPlan | undefined): LogDesign | undefined {
  const counts = lookUnits(plan);
  if (counts.length === 0) return undefined;
  return {
    relations: [],
    queries: {
      design_looks: `
        SELECT nth, CAST(exposed AS STRING) AS until
        FROM (SELECT exposed, row_number() OVER (ORDER BY exposed) AS nth FROM units WHERE NOT crossed) counted
        WHERE nth IN (${counts.join(", ")})`,
    },
  };
}

/** Of all arms, by look. */
function lookUnits(plan: AnalysisPlan | undefined): number[] {
  if (plan?.units === undefined || plan.kind === "always-valid") return [];
  const { units } = plan;
  const looks = plan.kind === "fixed" ? [1] : (plan.looks ?? []);
  return looks.map((look) => Math.ceil(look * units));
}

/** Those whose units are there, in their order. */
export function reachedLooks(
  { plan, attributionWindow }: Pick<Experiment, "plan" | "attributionWindow">,
  rows: readonly ResultRow[],
  asOf: Date,
): PlanLook[] {
  const window = attributionWindow === undefined ? 0 : durationMs(attributionWindow);
  const lookOf = (units: number, until: number): PlanLook => ({
    units,
    until: new Date(until),
    matures: new Date(until + window),
  });
  const counts = lookUnits(plan);
  if (plan?.kind === "fixed" && counts.length === 0 && plan.end !== undefined) {
    const end = Date.parse(plan.end);
    return end <= asOf.getTime() ? [lookOf(Number.POSITIVE_INFINITY, end)] : [];
  }
  return counts.flatMap((units) => {
    const row = rows.find((one) => Number(one["nth"]) === units);
    return row === undefined ? [] : [lookOf(units, Date.parse(`${row["until"]}Z`))];
  });
}

/**
 * Outcomes of the requests that are left have as long as they may. What users did without one would never end without a
 * window; with one, later ones are late.
 */
export function cutOf(
  { attributionWindow }: Pick<Experiment, "attributionWindow">,
  { until }: PlanLook,
): LogCut {
  const time = until.toISOString().replace("T", " ").replace("Z", "");
  return {
    impressions: { column: "at", time },
    outcomes:
      attributionWindow === undefined
        ? { column: "occurred_at", time, except: `item <> '' OR request NOT LIKE '${userPrefix}%'` }
        : undefined,
  };
}
