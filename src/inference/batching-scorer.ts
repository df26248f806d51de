import type { Clock } from "../domain/clock.ts";
import { messageOf, SetlistError } from "../domain/error.ts";
import type { ModelExecution } from "../domain/execution-provider.ts";
import type { EncodedRequest } from "../domain/feature-store.ts";
import type { Model, ModelRef, ModelVersion } from "../domain/model.ts";
import { counted } from "../domain/number-text.ts";
import type { Scorer, Scores } from "../domain/scorer.ts";
import type { Backlog } from "./backlog.ts";
import type { FilledSlots } from "./filled-slots.ts";
import { keyOf, type LoadedModel, type LoadedModels } from "./loaded-models.ts";
import type { ModelExecutions } from "./model-executions.ts";
import { orderFor } from "./posted-run.ts";
import { QueuedRequest } from "./queued-request.ts";
import { assertFits, candidatesOf, splitProbabilities } from "./ragged-batch.ts";
import { NotBegunError } from "./remote-worker.ts";
import { RequestQueue } from "./request-queue.ts";
import { SpareRuns } from "./spare-runs.ts";
import type { WorkerPool } from "./worker-pool.ts";

export interface BatchingScorerOptions {
  /** Models come and go while it scores. */
  readonly models: LoadedModels;
  /** On what they run. */
  readonly executions: ModelExecutions;
  readonly batchRowsMax: number;
  readonly queueRequestsMax: number;
  /** How long a request may wait for others although a worker is idle, microseconds; 0 sends it at once. */
  readonly queueDelayMaxUs: number;
  /** Candidates of a request that are scored while inference is behind. */
  readonly reducedCandidates: number;
  readonly backlog: Backlog;
  readonly clock: Clock;
}

/** A `Scorer` that lets requests wait only while every worker is busy, and then sends them on together. */
export class BatchingScorer implements Scorer {
  readonly #options: BatchingScorerOptions;
  readonly #pool: WorkerPool;
  readonly #queue = new RequestQueue();
  readonly #spare: SpareRuns;
  #running = 0;
  #closed: Promise<void> | undefined;
  #drained: () => void = () => undefined;
  #looksAgain = false;

  constructor(pool: WorkerPool, options: BatchingScorerOptions) {
    this.#pool = pool;
    this.#options = options;
    this.#spare = new SpareRuns(pool, {
      state: () => {
        if (this.#closed !== undefined) return "closed";
        return this.#queue.size === 0 && this.#pool.hasIdle ? "free" : "busy";
      },
      begin: () => {
        this.#running += 1;
      },
      // A request that came meanwhile goes before the next part.
      end: () => {
        this.#running -= 1;
        this.dispatch();
      },
    });
  }

  resolve(ref: ModelRef): Model | undefined {
    return this.#options.models.resolve(ref);
  }

  models(): readonly Model[] {
    return this.#options.models.all();
  }

  execution(version: ModelVersion): ModelExecution | undefined {
    return this.#options.executions.of(version);
  }

  candidatesMax(): number {
    const { backlog, clock, reducedCandidates } = this.#options;
    return backlog.isHeavy(clock.monotonic()) ? reducedCandidates : Number.POSITIVE_INFINITY;
  }

  score(
    version: ModelVersion,
    request: EncodedRequest,
    deadline: number,
    signal?: AbortSignal,
  ): Promise<Scores> {
    // A withdrawn version still answers those who had found it, and leaves once this says that there is none.
    const loaded = this.#options.models.of(version);
    if (loaded !== undefined) loaded.inFlight += 1;
    return this.#score(version, loaded, request, deadline, signal).finally(() => {
      if (loaded !== undefined) loaded.inFlight -= 1;
      request.release();
    });
  }

  async scoreSpare(version: ModelVersion, request: EncodedRequest): Promise<Float32Array> {
    const loaded = this.#options.models.of(version);
    if (loaded !== undefined) loaded.inFlight += 1;
    try {
      const usable = this.#usable(version, loaded);
      assertFits(usable.model, request);
      return await this.#spare.score(usable, request);
    } finally {
      if (loaded !== undefined) loaded.inFlight -= 1;
      request.release();
    }
  }

  /** @throws {SetlistError} where it is not loaded, or nothing is scored any more. */
  #usable(version: ModelVersion, loaded: LoadedModel | undefined): LoadedModel {
    if (loaded === undefined) throw unavailable(`model ${keyOf(version)} is not loaded`);
    if (this.#closed !== undefined) throw unavailable("the server is stopping: no new inference");
    if (!this.#pool.isUsable) throw unavailable(noWorkerLeft);
    return loaded;
  }

  async #score(
    version: ModelVersion,
    loaded: LoadedModel | undefined,
    request: EncodedRequest,
    deadline: number,
    signal: AbortSignal | undefined,
  ): Promise<Scores> {
    const { clock, queueRequestsMax } = this.#options;
    const { model, place, split } = this.#usable(version, loaded);
    const arrivedAt = clock.monotonic();
    if (arrivedAt >= deadline) {
      throw new SetlistError("DEADLINE_EXCEEDED", "the deadline had passed before inference began");
    }
    signal?.throwIfAborted();
    if (!this.#pool.hasIdle) this.#refuseTheLate(arrivedAt, deadline);
    if (this.#queue.size >= queueRequestsMax && !this.#pool.hasIdle) {
      throw new SetlistError(
        "RESOURCE_EXHAUSTED",
        `${counted(this.#queue.size, "request waits", "requests wait")} for inference already, as many as may`,
        retrySoon,
      );
    }
    assertFits(model, request);
    if (request.candidateCount === 0) {
      return { probabilities: new Float32Array(0), queueMs: 0, inferenceMs: 0 };
    }
    const group = split ? request.table : model;
    const queued = new QueuedRequest(place, group, request, arrivedAt, deadline);
    queued.startTimer(() => this.#leave(queued));
    if (signal !== undefined) {
      const abort = (): void => {
        queued.abandon(signal.reason);
        this.#leave(queued);
      };
      signal.addEventListener("abort", abort, { once: true });
      queued.scores.finally(() => signal.removeEventListener("abort", abort)).catch(() => undefined);
    }
    this.#enter(queued);
    this.dispatch();
    return queued.scores;
  }

  /** @throws {SetlistError} where a request would be run too late, by its deadline or by what a queue may cost. */
  #refuseTheLate(arrivedAt: number, deadline: number): void {
    const { backlog } = this.#options;
    const waitMs = backlog.expectedWaitMs();
    if (arrivedAt + waitMs + backlog.expectedRunMs() >= deadline) {
      throw new SetlistError(
        "DEADLINE_EXCEEDED",
        `inference is ${Math.round(waitMs)} ms behind, which the deadline does not leave`,
      );
    }
    if (waitMs > backlog.waitMaxMs(arrivedAt)) {
      throw new SetlistError(
        "RESOURCE_EXHAUSTED",
        `inference is ${Math.round(waitMs)} ms behind, longer than a request may wait`,
        retrySoon,
      );
    }
  }

  #enter(queued: QueuedRequest): void {
    this.#queue.add(queued);
    this.#options.backlog.wait(queued.request.candidateCount);
  }

  /** Out of the queue, if it is still there. */
  #leave(queued: QueuedRequest): void {
    if (this.#queue.remove(queued)) this.#options.backlog.wait(-queued.request.candidateCount);
    this.#noteDrained();
  }

  /** Finishes what was accepted, then ends the workers. */
  close(): Promise<void> {
    this.#closed ??= new Promise<void>((resolve) => {
      this.#drained = resolve;
      this.#noteDrained();
    }).then(() => this.#pool.close());
    this.#spare.wake();
    return this.#closed;
  }

  /**
   * Starts as many runs as there are idle workers and waiting requests; called whenever either changes. A full batch is
   * sent ahead to a busy worker, which would otherwise stand still until this thread had read its answer.
   */
  dispatch(): void {
    const { batchRowsMax, backlog, clock } = this.#options;
    this.#refuseWhoWaitedTooLong();
    while (this.#pool.hasRoom) {
      const now = clock.monotonic();
      const newestFirst = backlog.isStanding(now);
      const isFull = (): boolean => this.#queue.hasFullBatch(batchRowsMax, newestFirst);
      if (this.#pool.hasIdle ? this.#mayFillUp(now) && !isFull() : !isFull()) break;
      const batch = this.#queue.takeBatch(batchRowsMax, newestFirst);
      if (batch.length === 0) break;
      for (const { request } of batch) backlog.wait(-request.candidateCount);
      // The doomed are dropped here, not their batch: a timer may be late, a deadline is not.
      for (const queued of batch) if (now >= queued.deadline) queued.expire();
      const live = batch.filter((queued) => !queued.isSettled);
      if (live.length > 0) this.#run(live, now);
    }
    if (!this.#pool.isUsable) {
      for (const queued of this.#queue.takeAll()) {
        backlog.wait(-queued.request.candidateCount);
        queued.fail(noWorkerLeft);
      }
    }
    this.#spare.wake();
    this.#noteDrained();
  }

  /**
   * Whether others may still join who waits. A timer takes a millisecond or more, so it is looked at again in every turn
   * of the event loop.
   */
  #mayFillUp(now: number): boolean {
    if (this.#options.queueDelayMaxUs === 0 || this.#isOverdue(now)) return false;
    if (this.#queue.size > 0 && !this.#looksAgain) {
      this.#looksAgain = true;
      setImmediate(() => {
        this.#looksAgain = false;
        this.dispatch();
      });
    }
    return true;
  }

  /** Whether somebody has waited for as long as one may for others. */
  #isOverdue(now: number): boolean {
    return (now - this.#queue.waitingSince) * 1_000 >= this.#options.queueDelayMaxUs;
  }

  /**
   * While the queue stands the newest go first, and whom they keep passing would wait for nothing until its deadline: it
   * had better have its fallback now.
   */
  #refuseWhoWaitedTooLong(): void {
    const { backlog, clock } = this.#options;
    const now = clock.monotonic();
    if (!backlog.isStanding(now)) return;
    const waitMaxMs = backlog.waitedMaxMs(now);
    for (const queued of this.#queue.takeOlder(now - waitMaxMs)) {
      backlog.wait(-queued.request.candidateCount);
      queued.refuse(`newer requests were scored first for ${waitMaxMs} ms, longer than a request may wait`);
    }
  }

  async #run(batch: readonly QueuedRequest[], startedAt: number): Promise<void> {
    const place = batch[0]?.model as number;
    const loaded = this.#options.models.at(place) as LoadedModel;
    const { model } = loaded;
    const requests = batch.map((queued) => queued.request);
    const candidates = candidatesOf(requests);
    const { backlog } = this.#options;
    let tookMs: number | undefined;
    let filled: FilledSlots | undefined;
    this.#running += 1;
    backlog.begin(candidates, startedAt, this.#isOverdue(startedAt));
    try {
      const reply = await this.#pool.run(place, (host) => {
        filled = host.filledOf(loaded);
        return orderFor(loaded, filled, requests);
      });
      if (reply.kind === "scored") {
        tookMs = reply.inferenceMs;
        const parts = splitProbabilities(reply.probabilities, model.tasks.length, requests);
        for (const [index, queued] of batch.entries()) {
          queued.answer(model, parts[index] as Float32Array, startedAt, reply.inferenceMs);
        }
      } else if (reply.kind === "stale") {
        this.#queueAgain(batch);
      } else if (batch.length > 1) {
        // One of them broke the run for all: each alone, only that one fails.
        for (const queued of batch) queued.alone = true;
        this.#queueAgain(batch);
      } else {
        const why = reply.kind === "failed" ? reply.message : `unexpected answer "${reply.kind}"`;
        for (const queued of batch) queued.fail(`model ${keyOf(model)} failed: ${why}`);
      }
    } catch (error) {
      if (error instanceof NotBegunError) this.#queueAgain(batch);
      else
        for (const queued of batch) queued.fail(`model ${keyOf(model)} was interrupted: ${messageOf(error)}`);
    } finally {
      // The run may have failed before the slab got what was noted as sent for it.
      if (tookMs === undefined) filled?.clear();
      backlog.end(candidates, tookMs);
      this.#running -= 1;
      this.dispatch();
    }
  }

  #queueAgain(batch: readonly QueuedRequest[]): void {
    for (const queued of batch) if (!queued.isSettled) this.#enter(queued);
  }

  #noteDrained(): void {
    if (this.#running === 0 && this.#queue.size === 0) this.#drained();
  }
}

function unavailable(why: string): SetlistError {
  return new SetlistError("UNAVAILABLE", why, retrySoon);
}

const retrySoon = { retryAfterSeconds: 1 };
const noWorkerLeft = "no inference worker is left";
