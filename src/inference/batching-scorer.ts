import { SetlistError } from "../domain/error.ts";
import type { Model, ModelRef, ModelVersion } from "../domain/model.ts";
import type { Clock, EncodedRequest, Scorer, Scores } from "../domain/ports.ts";
import { assertFits, joinRequests, splitProbabilities } from "./ragged-batch.ts";
import { type QueuedRequest, RequestQueue } from "./request-queue.ts";
import type { WorkerPool } from "./worker-pool.ts";

export interface BatchingScorerOptions {
  /** In the order in which the workers loaded them; versions of a model in rising order. */
  readonly models: readonly Model[];
  readonly batchRowsMax: number;
  readonly queueRequestsMax: number;
  readonly clock: Clock;
}

/** Longest wait that a Node timer can be set to; a deadline beyond it is none. */
const timerMsMax = 2 ** 31 - 1;

/** A `Scorer` that lets requests wait only while every worker is busy, and then sends them on together. */
export class BatchingScorer implements Scorer {
  readonly #options: BatchingScorerOptions;
  readonly #pool: WorkerPool;
  readonly #queue = new RequestQueue();
  readonly #placeOf: ReadonlyMap<string, number>;
  readonly #latest: ReadonlyMap<string, Model>;
  #running = 0;
  #closed: Promise<void> | undefined;
  #drained: () => void = () => undefined;

  constructor(pool: WorkerPool, options: BatchingScorerOptions) {
    this.#pool = pool;
    this.#options = options;
    this.#placeOf = new Map(options.models.map((model, place) => [keyOf(model), place]));
    this.#latest = new Map(options.models.map((model) => [model.name, model]));
  }

  resolve(ref: ModelRef): Model | undefined {
    if (ref.version === undefined) return this.#latest.get(ref.name);
    const place = this.#placeOf.get(keyOf({ name: ref.name, version: ref.version }));
    return place === undefined ? undefined : this.#options.models[place];
  }

  models(): readonly Model[] {
    return this.#options.models;
  }

  score(version: ModelVersion, request: EncodedRequest, deadline: number): Promise<Scores> {
    const { models, clock, queueRequestsMax } = this.#options;
    const place = this.#placeOf.get(keyOf(version));
    const model = place === undefined ? undefined : models[place];
    if (place === undefined || model === undefined) {
      return refuse("UNAVAILABLE", `model ${keyOf(version)} is not loaded`);
    }
    if (this.#closed !== undefined) return refuse("UNAVAILABLE", "the server is stopping: no new inference");
    if (!this.#pool.isUsable) return refuse("UNAVAILABLE", "no inference worker is left");
    const arrivedAt = clock.monotonic();
    if (arrivedAt >= deadline) return refuse("DEADLINE_EXCEEDED", "the deadline had passed before inference");
    if (this.#queue.size >= queueRequestsMax && !this.#pool.hasIdle) {
      return refuse("RESOURCE_EXHAUSTED", `${queueRequestsMax} requests wait for inference already`);
    }
    assertFits(model, request);
    if (request.candidateCount === 0) {
      return Promise.resolve({ probabilities: new Float32Array(0), queueMs: 0, inferenceMs: 0 });
    }
    return new Promise((resolve, reject) => {
      this.#enqueue({
        model: place,
        request,
        deadline,
        arrivedAt,
        alone: false,
        settled: false,
        resolve,
        reject,
      });
    });
  }

  /** Finishes what was accepted, then ends the workers. */
  close(): Promise<void> {
    this.#closed ??= new Promise<void>((resolve) => {
      this.#drained = resolve;
      this.#noteDrained();
    }).then(() => this.#pool.close());
    return this.#closed;
  }

  /** Starts as many runs as there are idle workers and waiting requests; called whenever either changes. */
  dispatch(): void {
    while (this.#pool.hasIdle) {
      const batch = this.#queue.takeBatch(this.#options.batchRowsMax);
      if (batch.length === 0) break;
      // The doomed are dropped here, not their batch: a timer may be late, a deadline is not.
      const now = this.#options.clock.monotonic();
      for (const queued of batch) if (now >= queued.deadline) expire(queued, "while it waited for inference");
      const live = batch.filter((queued) => !queued.settled);
      if (live.length > 0) this.#run(live, now);
    }
    if (!this.#pool.isUsable) {
      for (const queued of this.#queue.takeAll()) {
        queued.reject(new SetlistError("UNAVAILABLE", "no inference worker is left", retrySoon));
      }
    }
    this.#noteDrained();
  }

  #enqueue(bare: QueuedRequest): void {
    let timer: NodeJS.Timeout | undefined;
    const settle = <T>(how: (value: T) => void) => {
      return (value: T): void => {
        if (queued.settled) return;
        queued.settled = true;
        clearTimeout(timer);
        how(value);
      };
    };
    const queued: QueuedRequest = { ...bare, resolve: settle(bare.resolve), reject: settle(bare.reject) };
    const leftMs = Math.ceil(bare.deadline - bare.arrivedAt);
    if (leftMs <= timerMsMax) {
      timer = setTimeout(() => {
        this.#queue.remove(queued);
        expire(queued, "during inference");
        this.#noteDrained();
      }, leftMs);
    }
    this.#queue.add(queued);
    this.dispatch();
  }

  async #run(batch: readonly QueuedRequest[], startedAt: number): Promise<void> {
    const model = this.#options.models[batch[0]?.model ?? -1] as Model;
    const place = batch[0]?.model as number;
    const requests = batch.map((queued) => queued.request);
    this.#running += 1;
    try {
      const joined = joinRequests(model.inputs, requests);
      const reply = await this.#pool.run({ kind: "run", model: place, batch: joined }, [joined.buffer]);
      if (reply.kind === "scored") {
        const parts = splitProbabilities(reply.probabilities, model.tasks.length, requests);
        for (const [index, queued] of batch.entries()) {
          answer(queued, model, parts[index] as Float32Array, startedAt, reply.inferenceMs);
        }
      } else if (batch.length > 1) {
        // One of them broke the run for all: each alone, only that one fails.
        for (const queued of batch)
          if (!queued.settled) this.#queue.add(Object.assign(queued, { alone: true }));
      } else {
        const why = reply.kind === "failed" ? reply.message : `unexpected answer "${reply.kind}"`;
        fail(batch, `model ${keyOf(model)} failed: ${why}`);
      }
    } catch (error) {
      fail(batch, `model ${keyOf(model)} was interrupted: ${error instanceof Error ? error.message : error}`);
    } finally {
      this.#running -= 1;
      this.dispatch();
    }
  }

  #noteDrained(): void {
    if (this.#running === 0 && this.#queue.size === 0) this.#drained();
  }
}

function answer(
  queued: QueuedRequest,
  model: Model,
  probabilities: Float32Array,
  startedAt: number,
  inferenceMs: number,
): void {
  // An order over values that are no numbers would be arbitrary: better the caller's fallback.
  const wrong = probabilities.findIndex((p) => !Number.isFinite(p));
  if (wrong >= 0) {
    const candidate = Math.floor(wrong / model.tasks.length);
    fail(
      [queued],
      `model ${keyOf(model)} gave ${probabilities[wrong]} for ${model.tasks[wrong % model.tasks.length]} of candidate ${candidate}`,
    );
    return;
  }
  queued.resolve({ probabilities, queueMs: startedAt - queued.arrivedAt, inferenceMs });
}

function fail(batch: readonly QueuedRequest[], why: string): void {
  for (const queued of batch) queued.reject(new SetlistError("UNAVAILABLE", why, retrySoon));
}

function expire(queued: QueuedRequest, when: string): void {
  const allowedMs = Math.round(queued.deadline - queued.arrivedAt);
  queued.reject(
    new SetlistError("DEADLINE_EXCEEDED", `the deadline passed ${when}, ${allowedMs} ms after it began`),
  );
}

function refuse(
  code: "UNAVAILABLE" | "DEADLINE_EXCEEDED" | "RESOURCE_EXHAUSTED",
  why: string,
): Promise<never> {
  return Promise.reject(new SetlistError(code, why, code === "DEADLINE_EXCEEDED" ? undefined : retrySoon));
}

function keyOf(version: ModelVersion): string {
  return `${version.name}/${version.version}`;
}

const retrySoon = { retryAfterSeconds: 1 };
