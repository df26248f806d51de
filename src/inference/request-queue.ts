import type { EncodedRequest, Scores } from "../domain/ports.ts";

/** A request on its way to a worker. */
export interface QueuedRequest {
  /** Place of its model in the pool's workers. */
  readonly model: number;
  readonly request: EncodedRequest;
  /** Monotonic ms. */
  readonly deadline: number;
  readonly arrivedAt: number;
  /** Runs by itself: a batch that it was part of failed, and this shows whose fault that was. */
  alone: boolean;
  /** Answered or refused: whatever comes later is discarded. */
  settled: boolean;
  readonly resolve: (scores: Scores) => void;
  readonly reject: (error: Error) => void;
}

/** First come, first served between models; within a model whatever waits goes together. */
export class RequestQueue {
  // Sets keep the order of arrival and forget a request at once, wherever it stands: an expired one holds no place.
  readonly #waiting = new Map<number, Set<QueuedRequest>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(queued: QueuedRequest): void {
    const waiting = this.#waiting.get(queued.model) ?? new Set();
    this.#waiting.set(queued.model, waiting.add(queued));
    this.#size += 1;
  }

  remove(queued: QueuedRequest): void {
    if (this.#waiting.get(queued.model)?.delete(queued)) this.#size -= 1;
  }

  /** Takes everything. */
  takeAll(): readonly QueuedRequest[] {
    const all = [...this.#waiting.values()].flatMap((waiting) => [...waiting]);
    this.#waiting.clear();
    this.#size = 0;
    return all;
  }

  /**
   * Takes the next run: the longest-waiting request and those of its model that came after it, in their order, as long
   * as they fit into `batchRowsMax` candidates. A request that is larger by itself goes alone. Empty where nothing waits.
   */
  takeBatch(batchRowsMax: number): readonly QueuedRequest[] {
    const batch: QueuedRequest[] = [];
    let rows = 0;
    for (const queued of this.#longestWaiting()) {
      rows += queued.request.candidateCount;
      if (batch.length > 0 && (rows > batchRowsMax || queued.alone)) break;
      batch.push(queued);
      if (queued.alone) break;
    }
    for (const queued of batch) this.remove(queued);
    return batch;
  }

  #longestWaiting(): Iterable<QueuedRequest> {
    let longest: Set<QueuedRequest> | undefined;
    let since = Number.POSITIVE_INFINITY;
    for (const waiting of this.#waiting.values()) {
      const [first] = waiting;
      if (first === undefined || first.arrivedAt >= since) continue;
      longest = waiting;
      since = first.arrivedAt;
    }
    return longest ?? [];
  }
}
