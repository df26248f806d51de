import type { Clock } from "../domain/clock.ts";

/** Answers are judged together over so long. */
const windowMs = 50;

/** Fewer at a time are some milliseconds of work: refusing them would help nobody. */
const least = 64;

/** After the last refusal. */
const refusingForMs = 100;

/** From one window whose answers were in time to the next. */
const growth = 1.2;

export interface ConcurrencyLimitOptions {
  readonly clock: Clock;
  /** The mean time in the server that answers are held to while more come than it can answer, ms. */
  readonly answerMsTarget: number;
  /** More are never in flight. */
  readonly inFlightMax: number;
  /** Calls back at the end of this turn of the event loop; `setImmediate` where undefined. */
  readonly afterTurn?: ((ended: () => void) => void) | undefined;
}

/**
 * How many rank requests are answered at a time. Where answers are late, it becomes what the server gets done in the
 * time that they should take: more in flight would only be later (Little's law, L = lambda W; Operations Research 9(3),
 * 1961). While they are in time it grows. It counts whatever holds a request up: a busy event loop, inference, the disk.
 *
 * What comes while the event loop is in a turn waits, unread, until the next one, and all that waits is read in that:
 * so a request has been there since its turn began, at the least, and one that is answered is in flight until its turn
 * ends, or a turn would hold any number of requests that are answered at once.
 */
export class ConcurrencyLimit {
  readonly #options: ConcurrencyLimitOptions;
  #limit: number;
  #inFlight = 0;
  #windowBegan: number;
  #answers = 0;
  #sumMs = 0;
  /** Of the window, in which nothing was answered: others were turned away, or nobody was there. */
  #elsewhereMs = 0;
  #idleSince: number;
  #wasReached = false;
  #reachedAt = Number.NEGATIVE_INFINITY;
  #wasLate = false;
  /** Of the event loop, as far as we were called in it. */
  #turnBegan: number | undefined;
  #leaving = 0;

  constructor(options: ConcurrencyLimitOptions) {
    this.#options = options;
    this.#limit = options.inFlightMax;
    this.#windowBegan = options.clock.monotonic();
    this.#idleSince = this.#windowBegan;
  }

  get limit(): number {
    return Math.floor(this.#limit);
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Whether one more would be one too many. */
  isReached(): boolean {
    this.#turn();
    if (this.#inFlight < this.limit) return false;
    this.#wasReached = true;
    // A bound that somebody has set is no sign of lateness.
    if (this.limit < this.#options.inFlightMax) this.#reachedAt = this.#turn();
    return true;
  }

  /** Whether requests are refused since others are late: those that are let in had better cost little. */
  isRefusing(): boolean {
    return this.#turn() - this.#reachedAt <= refusingForMs;
  }

  /** @param tookMs of this thread, for turning one away: nothing was answered meanwhile. */
  refused(tookMs: number): void {
    this.#elsewhereMs += tookMs;
  }

  /** Returns since when the request has been there, for its `end`. */
  begin(): number {
    const since = this.#turn();
    if (this.#inFlight === 0) this.#elsewhereMs += since - this.#idleSince;
    this.#inFlight += 1;
    return since;
  }

  /** @param since what `begin` returned. */
  end(since: number): void {
    this.#turn();
    this.#leaving += 1;
    this.#answers += 1;
    const now = this.#options.clock.monotonic();
    this.#sumMs += now - since;
    if (now - this.#windowBegan >= windowMs) this.#judge(now);
  }

  /** When this turn of the event loop began. */
  #turn(): number {
    if (this.#turnBegan !== undefined) return this.#turnBegan;
    const { clock, afterTurn = setImmediate } = this.#options;
    this.#turnBegan = clock.monotonic();
    afterTurn(() => {
      this.#turnBegan = undefined;
      if (this.#leaving === 0) return;
      this.#inFlight -= this.#leaving;
      this.#leaving = 0;
      if (this.#inFlight === 0) this.#idleSince = clock.monotonic();
    });
    return this.#turnBegan;
  }

  #judge(now: number): void {
    const { answerMsTarget, inFlightMax } = this.#options;
    const isLate = this.#sumMs / this.#answers > answerMsTarget;
    if (!isLate) this.#limit = Math.min(inFlightMax, this.#limit * growth);
    // One late window may be a pause of the machine; one that also left nobody in is not the first.
    else if (this.#wasLate || this.#wasReached) {
      const answeringMs = Math.max(1, now - this.#windowBegan - this.#elsewhereMs);
      const inTime = (this.#answers / answeringMs) * answerMsTarget;
      this.#limit = Math.min(inFlightMax, this.#limit * growth, Math.max(least, inTime));
    }
    this.#wasLate = isLate;
    this.#wasReached = false;
    this.#windowBegan = now;
    this.#answers = 0;
    this.#sumMs = 0;
    this.#elsewhereMs = 0;
  }
}
