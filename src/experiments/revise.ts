import { invalidArgument } from "../domain/error.ts";
import type { Experiment, ExperimentDocument, ExperimentStatus } from "../domain/experiment.ts";
import { changedFields } from "./change.ts";
import { allocate } from "./traffic.ts";

/** A change to one of these would mix two experiments' data: what was measured before belongs to another phase. */
const spoilingFields = ["surface", "layer", "unit", "salt", "arms", "targeting"] as const;

/**
 * The experiment that `document` makes of `previous`: one revision more, its part of the layer dealt anew, and a new
 * phase where the arms, their weights, the salt, the unit, the targeting, the layer or the surface of an experiment
 * that has begun change. Ramping the traffic starts none.
 * Only running and paused experiments hold a part of their layer; a draft gets one when it starts, a stopped one gives
 * its own back.
 * @param layerMates the other experiments of `document.layer`; others are ignored.
 * @throws {SetlistError} INVALID_ARGUMENT where its traffic is not free, or where one that has begun would become a
 *   draft again.
 */
export function revise(
  previous: Experiment | undefined,
  document: ExperimentDocument,
  layerMates: readonly Experiment[],
): Experiment {
  const begun = previous !== undefined && previous.status !== "draft";
  if (begun && document.status === "draft") {
    throw invalidArgument(
      `status: ${document.id} is ${previous.status} and cannot be a draft again; pause or stop it`,
    );
  }
  const spoiled = begun && changedFields(previous, document).some((field) => spoiling.has(field));
  return {
    ...document,
    revision: (previous?.revision ?? 0) + 1,
    phase: (previous?.phase ?? 1) + (spoiled ? 1 : 0),
    ranges: holdsTraffic(document.status) ? allocateFor(previous, document, layerMates) : [],
    ...standing(previous, document.status),
  };
}

/** What no document says and every revision keeps, as long as it means something. */
function standing(
  previous: Experiment | undefined,
  status: ExperimentStatus,
): Pick<Experiment, "killed" | "winner"> {
  const { killed, winner } = previous ?? {};
  return {
    ...(killed !== undefined && holdsTraffic(status) && { killed }),
    ...(winner !== undefined && status === "stopped" && { winner }),
  };
}

/**
 * What stands of `previous` once `document` has given back all that it no longer wants, and before it takes anything.
 */
export function release(previous: Experiment, document: ExperimentDocument): Experiment {
  const stays = previous.layer === document.layer && holdsTraffic(document.status);
  const held = previous.ranges.reduce((sum, { from, to }) => sum + to - from, 0);
  return {
    ...previous,
    ranges: stays ? allocate(previous.ranges, Math.min(held, document.traffic), []) : [],
  };
}

function allocateFor(
  previous: Experiment | undefined,
  document: ExperimentDocument,
  layerMates: readonly Experiment[],
): Experiment["ranges"] {
  const mates = layerMates.filter(
    (mate) => mate.layer === document.layer && mate.id !== document.id && holdsTraffic(mate.status),
  );
  const held = previous?.layer === document.layer ? previous.ranges : [];
  try {
    const taken = mates.flatMap((mate) => mate.ranges);
    return allocate(held, document.traffic, taken);
  } catch (error) {
    if (mates.length === 0 || !(error instanceof Error)) throw error;
    const holders = mates.map((mate) => `${mate.id} (${mate.traffic})`).join(", ");
    throw invalidArgument(
      `${error.message}; layer ${document.layer} is held by ${holders}: lower or stop one of them`,
    );
  }
}

/** Whether an experiment of this status has a part of its layer. */
export function holdsTraffic(status: ExperimentStatus): boolean {
  return status === "running" || status === "paused";
}

export const spoiling: ReadonlySet<string> = new Set(spoilingFields);
