import { SetlistError } from "../domain/error.ts";
import type { EncodedRequest } from "../domain/feature-store.ts";
import type { Model } from "../domain/model.ts";
import type { Scores } from "../domain/scorer.ts";
import { probabilityFault } from "./probability-fault.ts";

/** Longest wait that a Node timer can be set to; a deadline beyond it is none. */
const timerMsMax = 2 ** 31 - 1;

/** A request on its way to a worker and back. The first of answer, failure and deadline settles it; the rest is discarded. */
export class QueuedRequest {
  /** Place of its model in the order of loading. */
  readonly model: number;
  /** Requests of one group may run together. */
  readonly group: object;
  readonly request: EncodedRequest;
  /** Monotonic ms. */
  readonly arrivedAt: number;
  readonly deadline: number;
  /** Runs by itself: a batch that it was part of failed, and this shows whose fault that was. */
  alone = false;
  readonly scores: Promise<Scores>;
  #settled = false;
  #resolve: (scores: Scores) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(model: number, group: object, request: EncodedRequest, arrivedAt: number, deadline: number) {
    this.model = model;
    this.group = group;
    this.request = request;
    this.arrivedAt = arrivedAt;
    this.deadline = deadline;
    this.scores = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get isSettled(): boolean {
    return this.#settled;
  }

  /** Refuses the request at its deadline, wherever it then is, and says so to `onExpired`. */
  startTimer(onExpired: () => void): void {
    const leftMs = Math.ceil(this.deadline - this.arrivedAt);
    if (leftMs > timerMsMax) return;
    this.#timer = setTimeout(() => {
      this.expire();
      onExpired();
    }, leftMs);
  }

  /**
   * @param probabilities `[candidates, tasks]`. Values that are no numbers fail the request: an order over them would
   *   be arbitrary, and the caller has a better fallback.
   */
  answer(model: Model, probabilities: Float32Array, startedAt: number, inferenceMs: number): void {
    const fault = probabilityFault(model, probabilities);
    if (fault !== undefined) this.fail(fault);
    else
      this.#settle(() => this.#resolve({ probabilities, queueMs: startedAt - this.arrivedAt, inferenceMs }));
  }

  /** Rejects with UNAVAILABLE. */
  fail(why: string): void {
    this.#settle(() => this.#reject(new SetlistError("UNAVAILABLE", why, { retryAfterSeconds: 1 })));
  }

  /** Rejects with RESOURCE_EXHAUSTED. */
  refuse(why: string): void {
    this.#settle(() => this.#reject(new SetlistError("RESOURCE_EXHAUSTED", why, { retryAfterSeconds: 1 })));
  }

  /** Rejects with the reason why nobody waits any more. */
  abandon(reason: unknown): void {
    this.#settle(() => this.#reject(reason instanceof Error ? reason : new Error(String(reason))));
  }

  /** Rejects with DEADLINE_EXCEEDED. */
  expire(): void {
    const allowedMs = Math.round(this.deadline - this.arrivedAt);
    this.#settle(() =>
      this.#reject(
        new SetlistError("DEADLINE_EXCEEDED", `inference had ${allowedMs} ms, and the deadline passed first`),
      ),
    );
  }

  #settle(how: () => void): void {
    if (this.#settled) return;
    this.#settled = true;
    clearTimeout(this.#timer);
    how();
  }
}
