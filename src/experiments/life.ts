import { canonicalJson } from "../domain/canonical-json.ts";
import { invalidArgument, SetlistError } from "../domain/error.ts";
import type { Experiment, ExperimentDocument, ExperimentStatus } from "../domain/experiment.ts";
import type { StoreChange, StoreState, Written } from "../domain/store-state.ts";
import { nearest } from "../schema/schema.ts";
import { quoted } from "../schema/text.ts";
import { valueModelOver } from "../schema/value-model.ts";
import { changedFields, describeChange, documentOf } from "./change.ts";
import { type Confirmation, checkConfirmed } from "./confirmation.ts";
import { revise } from "./revise.ts";
import { reviseAll } from "./revise-all.ts";
import { type ValidationContext, validateExperiment } from "./validate.ts";

/** What documents are held against, besides each other. */
export type Known = Omit<ValidationContext, "others">;

/**
 * A new experiment, a draft.
 * @throws {SetlistError} ABORTED where the id is taken; INVALID_ARGUMENT with the field and the reason.
 */
export function created(state: StoreState, document: ExperimentDocument, known: Known): StoreChange {
  const standing = state.experiments.find(({ id }) => id === document.id);
  if (standing !== undefined) {
    throw new SetlistError(
      "ABORTED",
      `id: there is an experiment ${document.id} already, at revision ${standing.revision}`,
    );
  }
  if (document.status !== "draft") {
    throw invalidArgument(`status: a new experiment is a draft, got ${document.status}; start it afterwards`);
  }
  return { experiments: [revised(state, undefined, document, known)] };
}

/**
 * The whole document in place of the one that stands; nothing where it says the same.
 * @param revision the one that was read.
 * @throws {SetlistError} NOT_FOUND; ABORTED where the revision is stale; INVALID_ARGUMENT with the field and the reason,
 *   also for what needs a confirmation.
 */
export function replaced(
  state: StoreState,
  document: ExperimentDocument,
  options: { readonly revision: number; readonly confirmed: readonly Confirmation[]; readonly known: Known },
): StoreChange {
  const previous = standingAt(state, document.id, options.revision);
  if (changedFields(previous, document).length === 0) return {};
  const written = revised(state, previous, document, options.known);
  checkConfirmed(previous, written.document, options.confirmed);
  return { experiments: [written] };
}

/** What may be done to an experiment by a verb, from which status, and what it is then. */
const moves = {
  start: { from: ["draft", "paused", "stopped"], to: "running" },
  pause: { from: ["running"], to: "paused" },
  stop: { from: ["draft", "running", "paused"], to: "stopped" },
} as const satisfies Record<string, { from: readonly ExperimentStatus[]; to: ExperimentStatus }>;
export type Move = keyof typeof moves;

/**
 * @param winner of a stop: the arm that it is stopped for.
 * @throws {SetlistError} as `replaced`; INVALID_ARGUMENT where its status does not allow the move.
 */
export function moved(
  state: StoreState,
  move: Move,
  options: {
    readonly id: string;
    readonly revision: number;
    readonly winner?: string | undefined;
    readonly known: Known;
  },
): StoreChange {
  const { id, revision, winner, known } = options;
  const previous = standingAt(state, id, revision);
  const { from, to } = moves[move];
  if (!(from as readonly ExperimentStatus[]).includes(previous.status)) {
    throw invalidArgument(
      `status: ${id} is ${previous.status}; ${move} takes one that is ${from.join(" or ")}`,
    );
  }
  if (winner !== undefined) checkArm(previous, winner, "winner");
  // A ramp begins with its first step, and goes on where it was paused.
  const first = move === "start" && previous.status !== "paused" ? previous.ramp?.[0] : undefined;
  const traffic = first?.traffic ?? previous.traffic;
  const document = { ...documentOf(previous), traffic, status: to };
  // Whatever became of its models, an experiment can be paused and stopped.
  if (move === "start") validateExperiment(document, { ...known, others: othersOf(state, id) });
  const next = revise(previous, document, othersOf(state, id));
  return { experiments: [written(previous, winner === undefined ? next : { ...next, winner })] };
}

/**
 * Makes an arm the default of its surface and stops the experiment with it as the winner; nothing where both stand so.
 * @param arm the winner that it was stopped for, where undefined.
 * @throws {SetlistError} as `replaced`.
 */
export function shipped(
  state: StoreState,
  options: {
    readonly id: string;
    readonly revision: number;
    readonly arm: string | undefined;
  },
): StoreChange {
  const { id, revision } = options;
  const previous = standingAt(state, id, revision);
  if (previous.status === "draft") {
    throw invalidArgument(`status: ${id} is a draft: nothing was measured that could be shipped`);
  }
  const armId = options.arm ?? previous.winner;
  if (armId === undefined) {
    throw invalidArgument(
      `arm: expected the arm to ship, one of ${previous.arms.map((arm) => arm.id).join(", ")}, since ${id} has no winner`,
    );
  }
  const arm = checkArm(previous, armId, "arm");
  const { surface } = previous;
  const standing = state.surfaces.find((one) => one.surface === surface);
  const { model } = arm;
  // What the arm left to the surface it leaves to what was shipped there before it, as while it was measured.
  const valueModel = valueModelOver(arm.valueModel, standing?.shipped?.valueModel);
  const stopped = revise(previous, { ...documentOf(previous), status: "stopped" }, othersOf(state, id));
  const document = { ...stopped, winner: armId };
  const change = describeChange(previous, document);
  const served = { model, ...(valueModel !== undefined && { valueModel }), experiment: id, arm: armId };
  const servesSo =
    standing?.shipped !== undefined && canonicalJson(standing.shipped) === canonicalJson(served);
  if (change === "" && servesSo) return {};
  return {
    experiments: [{ document, what: `${change === "" ? "" : `${change}; `}${armId} shipped to ${surface}` }],
    surfaces: [
      {
        document: {
          surface,
          shipped: served,
          revision: (standing?.revision ?? 0) + 1,
        },
        what: `arm ${armId} of ${id} shipped`,
      },
    ],
  };
}

/**
 * Nobody is assigned from here on, whatever the status: everyone gets the surface's default.
 * @param revision not looked at where undefined: an emergency must not lose against another write.
 */
export function killed(
  state: StoreState,
  options: { readonly id: string; readonly revision: number | undefined; readonly reason: string },
): StoreChange {
  const { id, revision, reason } = options;
  const previous = standingAt(state, id, revision);
  if (previous.status !== "running" && previous.status !== "paused") {
    throw invalidArgument(`status: ${id} is ${previous.status}: it assigns nobody`);
  }
  if (previous.killed === reason) return {};
  const next = { ...previous, killed: reason, revision: previous.revision + 1 };
  return { experiments: [written(previous, next)] };
}

/** @throws {SetlistError} as `replaced`; INVALID_ARGUMENT where it was not killed. */
export function revived(
  state: StoreState,
  { id, revision }: { readonly id: string; readonly revision: number },
): StoreChange {
  const previous = standingAt(state, id, revision);
  const { killed, breach: _tooLate, ...rest } = previous;
  if (killed === undefined) throw invalidArgument(`id: ${id} was not killed`);
  return { experiments: [written(previous, { ...rest, revision: previous.revision + 1 })] };
}

/** A document to import, and the revision that it was compared with: 0 where there was none. */
export interface Imported {
  readonly document: ExperimentDocument;
  readonly revision: number;
}

/**
 * All of the documents or none; what they give back of a layer is free for all of them. Experiments that none of them
 * names stay as they are, and one that says what stands is held against nothing: the models and the default may be
 * others than when it was written.
 * @throws {SetlistError} as `replaced`, with the experiment's id before the field.
 */
export function imported(
  state: StoreState,
  imports: readonly Imported[],
  options: { readonly confirmed: readonly Confirmation[]; readonly known: Known },
): StoreChange {
  const before = new Map(state.experiments.map((one) => [one.id, one]));
  const documents = imports.map(({ document }) => document);
  const after = new Map<string, ExperimentDocument>([
    ...before,
    ...documents.map((one) => [one.id, one] as const),
  ]);
  for (const { document, revision } of imports) {
    const { id } = document;
    named(id, () => {
      if (documents.filter((one) => one.id === id).length > 1) throw invalidArgument("id: it is there twice");
      checkRevision(id, before.get(id), revision);
      const standing = before.get(id);
      if (standing !== undefined && changedFields(standing, document).length === 0) return;
      const others = [...after.values()].filter((one) => one.id !== id);
      validateExperiment(document, { ...options.known, others });
    });
  }
  const { changed } = reviseAll(state.experiments, documents);
  return {
    experiments: changed.map((next) => {
      const previous = before.get(next.id);
      if (previous !== undefined) named(next.id, () => checkConfirmed(previous, next, options.confirmed));
      return written(previous, next);
    }),
  };
}

/** The first experiments of a store, which have been validated; nothing where it has some already. */
export function seeded(state: StoreState, documents: readonly ExperimentDocument[]): StoreChange {
  if (state.experiments.length > 0) return {};
  return { experiments: reviseAll([], documents).changed.map((one) => written(undefined, one)) };
}

function revised(
  state: StoreState,
  previous: Experiment | undefined,
  document: ExperimentDocument,
  known: Known,
): Written<Experiment> {
  const others = othersOf(state, document.id);
  validateExperiment(document, { ...known, others });
  return written(previous, revise(previous, document, others));
}

function othersOf(state: StoreState, id: string): readonly Experiment[] {
  return state.experiments.filter((one) => one.id !== id);
}

function written(previous: Experiment | undefined, document: Experiment): Written<Experiment> {
  return { document, what: describeChange(previous, document) };
}

function standingAt(state: StoreState, id: string, revision: number | undefined): Experiment {
  const standing = state.experiments.find((one) => one.id === id);
  if (standing === undefined) {
    const known = state.experiments.map((one) => one.id);
    throw new SetlistError("NOT_FOUND", `id: no experiment ${quoted(id)}${nearest(id, known)}`);
  }
  if (revision !== undefined) checkRevision(id, standing, revision);
  return standing;
}

function checkRevision(id: string, standing: Experiment | undefined, revision: number): void {
  const stands = standing?.revision ?? 0;
  if (stands === revision) return;
  const now = stands === 0 ? "does not exist" : `stands at revision ${stands}`;
  throw new SetlistError("ABORTED", `revision: ${id} ${now}, and ${revision} was read: read it again`);
}

function checkArm(experiment: Experiment, id: string, field: string): Experiment["arms"][number] {
  const arm = experiment.arms.find((one) => one.id === id);
  if (arm !== undefined) return arm;
  const known = experiment.arms.map((one) => one.id);
  throw invalidArgument(`${field}: no arm ${quoted(id)} of ${experiment.id}${nearest(id, known)}`);
}

function named(id: string, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof SetlistError)) throw error;
    throw new SetlistError(error.code, `experiment ${id}: ${error.message}`, { cause: error });
  }
}
