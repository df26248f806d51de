/** Shares of so few units that a mean's straight line is poor: the score method stands beside Welch's. */

import type { MeasuredArm } from "../measurement/measurement.ts";
import { proportionDifference } from "../statistics/statistics.ts";
import type { ScoreReport } from "./report-sections.ts";

/** Of those who did, or who did not, in the arm that has the fewest. */
export const fewEvents = 10;

/** Of two arms of a proportion; undefined where neither is rare, or there is no test. */
export function scoreOfRare(
  treated: MeasuredArm | undefined,
  control: MeasuredArm | undefined,
  alpha: number,
): ScoreReport | undefined {
  if (treated === undefined || control === undefined) return undefined;
  const [one, other] = [treated, control].map(({ units, value }) => ({
    units,
    events: Math.round((value ?? 0) * units),
  })) as [{ units: number; events: number }, { units: number; events: number }];
  const fewest = Math.min(one.events, one.units - one.events, other.events, other.units - other.events);
  if (fewest >= fewEvents) return undefined;
  const tested = proportionDifference(one, other, alpha);
  if (!tested.ok) return undefined;
  const { estimate, ciLow, ciHigh, pValue } = tested.value;
  return { absolute: { estimate, ciLow, ciHigh }, pValue };
}
