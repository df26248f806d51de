import type { QueuedRequest } from "./queued-request.ts";

/** First come, first served between groups; within a group whatever waits goes together. */
export class RequestQueue {
  // Sets keep the order of arrival and forget a request at once, wherever it stands: an expired one holds no place.
  readonly #waiting = new Map<object, Set<QueuedRequest>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(queued: QueuedRequest): void {
    const waiting = this.#waiting.get(queued.group) ?? new Set();
    this.#waiting.set(queued.group, waiting.add(queued));
    this.#size += 1;
  }

  /** Whether it was there. */
  remove(queued: QueuedRequest): boolean {
    const wasThere = this.#waiting.get(queued.group)?.delete(queued) ?? false;
    if (wasThere) this.#size -= 1;
    return wasThere;
  }

  /** Whether the next run would be as large as one may be. */
  hasFullBatch(batchRowsMax: number): boolean {
    let rows = 0;
    for (const queued of this.#longestWaiting()) {
      rows += queued.request.candidateCount;
      if (rows >= batchRowsMax || queued.alone) return true;
    }
    return false;
  }

  /** Takes everything. */
  takeAll(): readonly QueuedRequest[] {
    const all = [...this.#waiting.values()].flatMap((waiting) => [...waiting]);
    this.#waiting.clear();
    this.#size = 0;
    return all;
  }

  /**
   * Takes the next run: the longest-waiting request and those of its group that came after it, in their order, as long
   * as they fit into `batchRowsMax` candidates. A request that is larger by itself goes alone. Empty where nothing waits.
   * @param newestFirst takes the group's latest instead: whoever has waited long may be beyond help.
   */
  takeBatch(batchRowsMax: number, newestFirst = false): readonly QueuedRequest[] {
    const batch: QueuedRequest[] = [];
    let rows = 0;
    const waiting = this.#longestWaiting();
    for (const queued of newestFirst ? [...waiting].reverse() : waiting) {
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
