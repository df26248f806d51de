import { invalidArgument, SetlistError } from "../domain/error.ts";
import type { Experiment, ExperimentDocument, ExperimentStatus } from "../domain/experiment.ts";
import { changedFields } from "./change.ts";
import { allocate } from "./traffic.ts";

/** A change to one of these would mix two experiments' data: what was measured before belongs to another phase. */
const spoilingFields = [
  "kind",
  "surface",
  "layer",
  "unit",
  "salt",
  "arms",
  "targeting",
  "prerequisites",
] as const;

/**
 * The experiment that `document` makes of `previous`: one revision more, its part of the layer dealt anew, and a new
 * phase where the kind, the arms, their weights, the salt, the unit, the targeting, the prerequisites, the layer or the
 * surface of an experiment that has begun change. Ramping the traffic, or saying what an arm costs, starts none.
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
  checkRampIsFree(previous, document, layerMates);
  const spoiled =
    begun && changedFields(uncosted(previous), uncosted(document)).some((field) => spoiling.has(field));
  return {
    ...document,
    revision: (previous?.revision ?? 0) + 1,
    phase: (previous?.phase ?? 1) + (spoiled ? 1 : 0),
    ranges: holdsTraffic(document.status) ? allocateFor(previous, document, layerMates) : [],
    ...standing(previous, document, spoiled),
  };
}

/** What an arm costs changes nothing of who gets it. */
function uncosted(document: ExperimentDocument): ExperimentDocument {
  return { ...document, arms: document.arms.map(({ cost: _, ...arm }) => arm) };
}

/** What no document says and every revision keeps, as long as it means something. */
function standing(
  previous: Experiment | undefined,
  { status, guardrails = [] }: ExperimentDocument,
  isNewPhase: boolean,
): Pick<Experiment, "killed" | "winner" | "breach"> {
  const { killed, winner, breach } = previous ?? {};
  const isHeld = !isNewPhase && guardrails.some(({ id }) => id === breach?.guardrail);
  const keepsBreach = holdsTraffic(status) && (breach?.action === "rollback" || isHeld);
  return {
    ...(killed !== undefined && holdsTraffic(status) && { killed }),
    ...(winner !== undefined && status === "stopped" && { winner }),
    ...(breach !== undefined && keepsBreach && { breach }),
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

/**
 * All of a ramp has to be free when it begins, so that it does not end half-way. Nothing is kept for it: another
 * experiment may take the rest meanwhile, and the ramp then waits.
 */
function checkRampIsFree(
  previous: Experiment | undefined,
  document: ExperimentDocument,
  layerMates: readonly Experiment[],
): void {
  const { ramp, status } = document;
  const last = ramp?.at(-1);
  if (ramp === undefined || last === undefined || !holdsTraffic(status)) return;
  const begins = previous === undefined || !holdsTraffic(previous.status);
  if (!begins && !changedFields(previous, document).some((field) => field === "ramp" || field === "layer"))
    return;
  try {
    allocateFor(previous, { ...document, traffic: last.traffic }, layerMates);
  } catch (error) {
    if (!(error instanceof SetlistError)) throw error;
    throw invalidArgument(`ramp[${ramp.length - 1}].${error.message}`);
  }
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
