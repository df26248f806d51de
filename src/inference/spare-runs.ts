import { messageOf, SetlistError } from "../domain/error.ts";
import type { EncodedRequest } from "../domain/feature-store.ts";
import type { FilledSlots } from "./filled-slots.ts";
import { keyOf, type LoadedModel } from "./loaded-models.ts";
import { orderFor } from "./posted-run.ts";
import { probabilityFault } from "./probability-fault.ts";
import type { Reply } from "./worker-messages.ts";
import type { WorkerPool } from "./worker-pool.ts";

/** When a spare run may begin, and who has to hear of it. */
export interface SpareTurns {
  /** Free is where a worker has nothing to do and no request waits for one; call `wake` when it may have changed. */
  readonly state: () => "free" | "busy" | "closed";
  readonly begin: () => void;
  readonly end: () => void;
}

/** A request that comes during a spare run waits for its end, so a run should take no longer than this. */
const runMsMax = 2;
/** As many as a usual request has: it is one run, and a run of our models is far shorter. */
const rowsMax = 200;
/** Of a model that nobody knows yet, and of a slow one: fewer would be nearly all overhead. */
const rowsMin = 16;

/** Without a moment to spare for so long it is not a moment that is missing, but a worker. */
const waitMsMax = 1_000;

/**
 * Runs of work that nobody waits for, each on a worker that would stand still. They are kept short: candidates of one
 * request go in parts, whose size follows what a run of the model takes. They are no part of the backlog, which is about
 * requests.
 */
export class SpareRuns {
  readonly #pool: Pick<WorkerPool, "run">;
  readonly #turns: SpareTurns;
  readonly #rows = new WeakMap<LoadedModel, number>();
  readonly #waiting = new Set<() => void>();

  constructor(pool: Pick<WorkerPool, "run">, turns: SpareTurns) {
    this.#pool = pool;
    this.#turns = turns;
  }

  /** A worker, or the queue, may be free now. */
  wake(): void {
    if (this.#waiting.size === 0 || this.#turns.state() === "busy") return;
    for (const go of this.#waiting) go();
  }

  /**
   * The probabilities `[candidates, tasks]`.
   * @throws {SetlistError} RESOURCE_EXHAUSTED where no worker is to spare for a second; UNAVAILABLE where the model
   *   fails, or nothing is scored any more.
   */
  async score(loaded: LoadedModel, request: EncodedRequest): Promise<Float32Array> {
    const { model } = loaded;
    const width = model.tasks.length;
    const probabilities = new Float32Array(request.candidateCount * width);
    for (let from = 0; from < request.candidateCount; ) {
      const rows = this.#rows.get(loaded) ?? rowsMin;
      const part = partOf(request, from, rows);
      const scored = await this.#run(loaded, part);
      probabilities.set(scored.probabilities, from * width);
      from += part.candidateCount;
      if (scored.inferenceMs > runMsMax) this.#rows.set(loaded, Math.max(rowsMin, rows >> 1));
      else if (part.candidateCount === rows) this.#rows.set(loaded, Math.min(rowsMax, rows * 2));
    }
    const fault = probabilityFault(model, probabilities);
    if (fault !== undefined) throw new SetlistError("UNAVAILABLE", fault);
    return probabilities;
  }

  async #run(loaded: LoadedModel, part: EncodedRequest): Promise<Scored> {
    while (this.#turns.state() === "busy") await this.#change();
    if (this.#turns.state() === "closed") {
      throw new SetlistError("UNAVAILABLE", "the server is stopping: no new inference");
    }
    let filled: FilledSlots | undefined;
    let scored: Scored | undefined;
    this.#turns.begin();
    try {
      const reply = await this.#pool.run(loaded.place, (host) => {
        filled = host.filledOf(loaded);
        return orderFor(loaded, filled, [part]);
      });
      if (reply.kind === "scored") scored = reply;
      else throw new Error(reply.kind === "failed" ? reply.message : `unexpected answer "${reply.kind}"`);
      return scored;
    } catch (error) {
      const why = messageOf(error);
      throw new SetlistError("UNAVAILABLE", `model ${keyOf(loaded.model)} failed: ${why}`, { cause: error });
    } finally {
      // As after any run that failed: the slab may lack what was noted as sent.
      if (scored === undefined) filled?.clear();
      this.#turns.end();
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#waiting.delete(go);
        clearTimeout(timer);
      };
      const go = (): void => {
        settle();
        resolve();
      };
      const timer = setTimeout(() => {
        settle();
        reject(new SetlistError("RESOURCE_EXHAUSTED", "no inference worker was to spare for a second"));
      }, waitMsMax);
      this.#waiting.add(go);
    });
  }
}

type Scored = Extract<Reply, { kind: "scored" }>;

/** The request for `rows` of its candidates, or those that are left, over the same pinned slots. */
function partOf(request: EncodedRequest, from: number, rows: number): EncodedRequest {
  const slots = request.slots.subarray(from, from + rows);
  return { ...request, candidateCount: slots.length, slots };
}
