import { invalidArgument } from "../domain/error.ts";
import type { Experiment, ExperimentDocument } from "../domain/experiment.ts";
import type { RampStep } from "../domain/guardrail.ts";
import type { Revision, StoreChange, StoreState } from "../domain/store-state.ts";
import { describeChange, documentOf } from "./change.ts";
import { durationMs } from "./duration.ts";
import { revise } from "./revise.ts";
import { trafficStep } from "./traffic.ts";

/** Who takes the steps, in the history. */
export const rampWriter = "ramp";

/** @throws {SetlistError} INVALID_ARGUMENT with the step that is wrong, or a traffic that is none of the steps'. */
export function checkRamp({ ramp, traffic, status }: ExperimentDocument): void {
  if (ramp === undefined) return;
  for (const [index, step] of ramp.entries()) checkStep(step, index, ramp);
  const places = ramp.map((step) => step.traffic);
  if (status === "draft" && traffic !== places[0]) {
    throw invalidArgument(
      `traffic: expected ${places[0]}, that of the ramp's first step, or none, got ${traffic}`,
    );
  }
  if (places.includes(traffic)) return;
  throw invalidArgument(
    `traffic: expected one of the ramp's steps, ${places.join(", ")}, got ${traffic}; take the ramp out of the document to set another`,
  );
}

function checkStep(step: RampStep, index: number, ramp: readonly RampStep[]): void {
  const { traffic } = step;
  const before = ramp[index - 1]?.traffic ?? 0;
  if (traffic < trafficStep) {
    throw invalidArgument(
      `ramp[${index}].traffic: expected a share from ${trafficStep} to 1, got ${traffic}`,
    );
  }
  if (traffic <= before) {
    throw invalidArgument(
      `ramp[${index}].traffic: expected more than the step before, ${before}, since a ramp only goes up, got ${traffic}`,
    );
  }
  if (step.for === undefined && index < ramp.length - 1) {
    throw invalidArgument(`ramp[${index}].for: expected how long, such as 1h; only the last step has no end`);
  }
}

/** Where an experiment stands in its ramp, by what was written and when: any process finds the same, also after a restart. */
export interface RampPlace {
  /** Its place in `ramp`, from 0. */
  readonly step: number;
  /** How much of the step's time has passed, ms. */
  readonly passedMs: number;
  /** The step's time; undefined of the last one, which nothing follows. */
  readonly totalMs: number | undefined;
  readonly next: RampStep | undefined;
}

/**
 * Only time in which the experiment runs counts: a pause stops the clock. A hold and a kill set it back to the step's
 * beginning, for a step has to be healthy for all of its time; so does a new phase, or another ramp.
 * @param history oldest first, the last revision being what stands. @param now ms since 1970.
 * @returns undefined where there is no ramp.
 */
export function rampPlace(history: readonly Revision<Experiment>[], now: number): RampPlace | undefined {
  const standing = history.at(-1)?.document;
  const ramp = standing?.ramp;
  if (standing === undefined || ramp === undefined) return undefined;
  const step = ramp.findIndex(({ traffic }) => traffic === standing.traffic);
  const current = ramp[step];
  if (current === undefined) return undefined;
  let passedMs = 0;
  for (const [index, { document, at }] of history.entries()) {
    if (!isSameStep(document, standing) || document.breach !== undefined || document.killed !== undefined) {
      passedMs = 0;
    } else if (document.status === "running") {
      passedMs += Math.max(0, (history[index + 1]?.at ?? now) - at);
    } else if (document.status !== "paused") passedMs = 0;
  }
  const next = ramp[step + 1];
  const totalMs = next === undefined || current.for === undefined ? undefined : durationMs(current.for);
  return { step, passedMs, totalMs, next };
}

function isSameStep(one: Experiment, standing: Experiment): boolean {
  return (
    one.traffic === standing.traffic &&
    one.phase === standing.phase &&
    JSON.stringify(one.ramp) === JSON.stringify(standing.ramp)
  );
}

/**
 * The next step of a ramp, where the experiment still stands at the revision that was judged: somebody else who was
 * faster, another process of a fleet for instance, makes it no change.
 * @param reason why now, for the history.
 * @throws {SetlistError} INVALID_ARGUMENT where its traffic is not free any more.
 */
export function stepped(
  state: StoreState,
  { id, revision, reason }: { readonly id: string; readonly revision: number; readonly reason: string },
): StoreChange {
  const standing = state.experiments.find((one) => one.id === id);
  if (standing?.revision !== revision || standing.status !== "running") return {};
  const { ramp = [] } = standing;
  const next = ramp[ramp.findIndex(({ traffic }) => traffic === standing.traffic) + 1];
  if (next === undefined) return {};
  const others = state.experiments.filter((one) => one.id !== id);
  const document = revise(standing, { ...documentOf(standing), traffic: next.traffic }, others);
  return { experiments: [{ document, what: `${describeChange(standing, document)}; ${reason}` }] };
}
