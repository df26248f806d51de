import { invalidArgument } from "../domain/error.ts";
import type { Experiment } from "../domain/experiment.ts";
import { changedFields } from "./change.ts";
import { holdsTraffic, spoiling } from "./revise.ts";

/** What a write does only where whoever writes says that it is meant. */
export const confirmations = ["new-phase", "less-traffic"] as const;
export type Confirmation = (typeof confirmations)[number];

/**
 * Refuses what would spoil an experiment that has begun unless it was confirmed: a new phase, and traffic that is taken
 * away.
 * @throws {SetlistError} INVALID_ARGUMENT with the field, what would happen, and how to confirm it.
 */
export function checkConfirmed(
  previous: Experiment,
  next: Experiment,
  confirmed: readonly Confirmation[],
): void {
  const { id, phase } = previous;
  if (next.phase !== phase && !confirmed.includes("new-phase")) {
    const fields = changedFields(previous, next).filter((field) => spoiling.has(field));
    throw invalidArgument(
      `${fields.join(", ")}: ${id} has begun, so this would start phase ${next.phase}: what phase ${phase} measured is not analysed with what comes then; confirm it with confirm=new-phase (--confirm-new-phase)`,
    );
  }
  const shrinks =
    holdsTraffic(previous.status) && holdsTraffic(next.status) && next.traffic < previous.traffic;
  if (shrinks && !confirmed.includes("less-traffic")) {
    throw invalidArgument(
      `traffic: ${id} would go down from ${previous.traffic} to ${next.traffic}, and units that are in it would leave it; confirm it with confirm=less-traffic (--confirm-less-traffic)`,
    );
  }
}
