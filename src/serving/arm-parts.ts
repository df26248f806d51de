import type { EncodedRequest } from "../domain/feature-store.ts";
import type { Model } from "../domain/model.ts";
import type { DegradedReason, RankRequest } from "../domain/rank.ts";
import type { Scores } from "../domain/scorer.ts";
import { type RankedList, rankedList, valuePlan } from "../ranking/ranking.ts";
import type { OrderDependencies } from "./order.ts";
import type { Ranker } from "./ranker.ts";
import { encodeFor, newNotes, rankingInput, reasonOf, type ScoringNotes } from "./scoring.ts";
import type { SeenTensors } from "./served-features.ts";

/** What one arm brings to an interleaved answer: its list, or in its notes why it has none. */
export interface ArmPart {
  readonly notes: ScoringNotes;
  readonly list: RankedList | undefined;
}

/** A model's scores of the request, for each arm that asks for that model. */
interface Run {
  readonly notes: ScoringNotes;
  readonly scores: Promise<Scores>;
}

/**
 * Both arms' lists of one request, scored side by side; arms of one model share its scores.
 * @throws {SetlistError} INVALID_ARGUMENT where an inline feature does not fit one of the models; the signal's reason
 *   once nobody waits any more. Whatever else keeps an arm from having a list is in its notes.
 */
export async function armParts(
  request: RankRequest,
  rankers: readonly [Ranker, Ranker],
  deadline: number,
  deps: OrderDependencies,
  signal: AbortSignal | undefined,
): Promise<readonly [ArmPart, ArmPart]> {
  const { scorer, observer } = deps;
  const models = rankers.map(({ model }) => scorer.resolve(model));
  const isRefusing = deps.concurrency.isRefusing();
  const asked = isRefusing ? [] : models.flatMap((model) => model ?? []);
  const runs = await runsOf(request, new Set(asked), deadline, deps, signal);

  const without = (reason: DegradedReason, error: unknown, notes = newNotes()): ArmPart => {
    observer.fellBack(reason, request.requestId, error);
    return { notes: { ...notes, degraded: [...notes.degraded, reason] }, list: undefined };
  };
  const partOf = async (ranker: Ranker, model: Model | undefined): Promise<ArmPart> => {
    if (model === undefined) return without("model-unavailable", `no model ${ranker.model.name} is loaded`);
    const run = runs.get(model);
    if (run === undefined) return without("overload", "requests are being refused");
    const { timings, degraded, seen } = run.notes;
    const notes = { timings: { ...timings }, degraded: [...degraded], seen };
    const plan = valuePlan(model, ranker.surface, ranker.arm);
    try {
      const input = await rankingInput({ model, plan, scores: run.scores }, request, notes, deps);
      return { notes, list: rankedList(input) };
    } catch (error) {
      return signal?.aborted === true ? { notes, list: undefined } : without(reasonOf(error), error, notes);
    }
  };
  const parts = await Promise.all([partOf(rankers[0], models[0]), partOf(rankers[1], models[1])]);
  signal?.throwIfAborted();
  return parts;
}

async function runsOf(
  request: RankRequest,
  models: ReadonlySet<Model>,
  deadline: number,
  deps: OrderDependencies,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<Model, Run>> {
  const encodings = await Promise.allSettled(
    [...models].map(async (model) => {
      const notes = newNotes();
      return { model, notes, encoded: await encodeFor(model, request, notes, deps) };
    }),
  );
  const failure = encodings.find(({ status }) => status === "rejected") as PromiseRejectedResult | undefined;
  const done = encodings.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
  if (failure !== undefined || signal?.aborted === true) {
    for (const { encoded } of done) encoded.release();
    throw failure === undefined ? signal?.reason : failure.reason;
  }
  const score = (model: Model, encoded: EncodedRequest): Promise<Scores> =>
    deps.scorer.score(model, encoded, deadline, signal);
  return new Map(done.map(({ model, notes, encoded }) => [model, { notes, scores: score(model, encoded) }]));
}

/** What the models of those that have a list were given, each once; undefined where none is to be logged. */
export function allSeen(parts: readonly ArmPart[]): readonly SeenTensors[] | undefined {
  const seen = parts.flatMap(({ notes, list }) => (list === undefined ? [] : (notes.seen ?? [])));
  return seen.length === 0 ? undefined : [...new Set(seen)];
}

/** What two scorings that ran at the same time took together, ms. */
export function sideBySide(parts: readonly ArmPart[]): ScoringNotes["timings"] {
  const most = (of: keyof ScoringNotes["timings"]): number =>
    Math.max(...parts.map(({ notes }) => notes.timings[of]));
  return { features: most("features"), queue: most("queue"), inference: most("inference") };
}

/** Every reason of either once; of two that count, the one that counts more. */
export function allShortcomings(parts: readonly ArmPart[]): DegradedReason[] {
  const byKind = new Map<string, DegradedReason>();
  for (const reason of parts.flatMap(({ notes }) => notes.degraded)) {
    const kind = reason.split(":")[0] as string;
    const known = byKind.get(kind);
    if (known === undefined || countOf(reason) > countOf(known)) byKind.set(kind, reason);
  }
  return [...byKind.values()];
}

function countOf(reason: DegradedReason): number {
  return Number(reason.split(":")[1] ?? 0);
}
