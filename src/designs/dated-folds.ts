/** What units did and asked, each thing with the day that it falls on: for designs that fold by unit and day. */

import { isOf, table, type UnitVariable } from "../measurement/measurement.ts";
import { readOfHappened } from "./design-metrics.ts";

/** `phase_end (ended)`: when the phase's newest request was answered. */
export const phaseEnd = table(
  "phase_end",
  "SELECT max(shown_at) AS ended FROM first_exposures WHERE arm IS NOT NULL",
);

export interface DatedFolds {
  /** The day of an instant: an expression that may read `units`. */
  dayOf(when: string): string;
  /** What the day is called. */
  readonly column: string;
  /** A join of further relations that `dayOf` reads. */
  readonly beside?: string | undefined;
  /** A row for each unit's first exposure too, at which it did nothing yet. */
  readonly withExposures?: boolean | undefined;
}

/**
 * Rows for `outcomeFolds`: `unit`, what that reads, the day, and `asked`, 1 for a request: these are there where a variable
 * counts them.
 */
export function datedFolds(
  variables: readonly UnitVariable[],
  { dayOf, column, beside = "", withExposures }: DatedFolds,
): string {
  const folded = [...new Set(variables.flatMap((one) => (one.kind === "fold" ? [one.source] : [])))];
  const counted = folded.length === 0 ? "false" : folded.map(isOf).join(" OR ");
  const noOutcome = (when: string): string =>
    ["NULL AS value", `${when} AS occurred_at`, ...folded.map((source) => `false AS ${isOf(source)}`)].join(
      ", ",
    );
  const did = `
    SELECT happened.unit AS unit, ${readOfHappened(variables).join(", ")}, 0 AS asked, ${dayOf("occurred_at")} AS ${column}
    FROM happened JOIN units ON units.unit = happened.unit ${beside} WHERE ${counted}`;
  const asked = `
    SELECT first_exposures.unit AS unit, ${noOutcome("shown_at")}, 1 AS asked, ${dayOf("shown_at")} AS ${column}
    FROM first_exposures JOIN units ON units.unit = first_exposures.unit ${beside} WHERE first_exposures.arm IS NOT NULL`;
  const exposed = `
    SELECT units.unit AS unit, ${noOutcome("exposed")}, 0 AS asked, ${dayOf("exposed")} AS ${column} FROM units ${beside}`;
  return [
    did,
    ...(variables.some(({ kind }) => kind === "requests") ? [asked] : []),
    ...(withExposures === true ? [exposed] : []),
  ].join(" UNION ALL ");
}
