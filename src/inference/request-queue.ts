import type { QueuedRequest } from "./queued-request.ts";

/** First come, first served between groups, or in turns; within a group whatever waits goes together. */
export class RequestQueue {
  // Sets keep the order of arrival and forget a request at once, wherever it stands: an expired one holds no place.
  // The groups stand in the order of their turns. One that nobody waits for is forgotten: it may be the item table of a
  // model that is gone, a hundred megabytes.
  readonly #waiting = new Map<object, Set<QueuedRequest>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** When the longest-waiting request came, monotonic ms; infinite where none waits. */
  get waitingSince(): number {
    const [longest] = this.#longestWaiting();
    return longest?.arrivedAt ?? Number.POSITIVE_INFINITY;
  }

  add(queued: QueuedRequest): void {
    const waiting = this.#waiting.get(queued.group) ?? new Set();
    this.#waiting.set(queued.group, waiting.add(queued));
    this.#size += 1;
  }

  /** Whether it was there. */
  remove(queued: QueuedRequest): boolean {
    const waiting = this.#waiting.get(queued.group);
    if (waiting?.delete(queued) !== true) return false;
    if (waiting.size === 0) this.#waiting.delete(queued.group);
    this.#size -= 1;
    return true;
  }

  /** Whether the next run would be as large as one may be; `newestFirst` as in `takeBatch`. */
  hasFullBatch(batchRowsMax: number, newestFirst = false): boolean {
    let rows = 0;
    for (const queued of newestFirst ? this.#nextInTurn() : this.#longestWaiting()) {
      rows += queued.request.candidateCount;
      if (rows >= batchRowsMax || queued.alone) return true;
    }
    return false;
  }

  /** Takes those that arrived before. */
  takeOlder(arrivedBefore: number): readonly QueuedRequest[] {
    const older: QueuedRequest[] = [];
    for (const waiting of this.#waiting.values()) {
      for (const queued of waiting) {
        if (queued.arrivedAt >= arrivedBefore) break;
        older.push(queued);
      }
    }
    for (const queued of older) this.remove(queued);
    return older;
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
   * @param newestFirst takes a group's latest instead, since whoever has waited long may be beyond help, and the groups
   *   in turns: the oldest, who is then not taken, would hold the turn for its group until it expired.
   */
  takeBatch(batchRowsMax: number, newestFirst = false): readonly QueuedRequest[] {
    const batch: QueuedRequest[] = [];
    let rows = 0;
    for (const queued of newestFirst ? [...this.#nextInTurn()].reverse() : this.#longestWaiting()) {
      rows += queued.request.candidateCount;
      if (batch.length > 0 && (rows > batchRowsMax || queued.alone)) break;
      batch.push(queued);
      if (queued.alone) break;
    }
    for (const queued of batch) this.remove(queued);
    this.#endTurn(batch[0]?.group);
    return batch;
  }

  /** Whoever is left of the group waits behind all others. */
  #endTurn(group: object | undefined): void {
    const left = group === undefined ? undefined : this.#waiting.get(group);
    if (group === undefined || left === undefined) return;
    this.#waiting.delete(group);
    this.#waiting.set(group, left);
  }

  #nextInTurn(): Iterable<QueuedRequest> {
    const [next = []] = this.#waiting.values();
    return next;
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
