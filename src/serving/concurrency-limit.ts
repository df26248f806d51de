import type { Clock } from "../domain/ports.ts";

/** Answers are judged together over so long. */
const windowMs = 50;

/** Fewer at a time are some milliseconds of work: refusing them would help nobody. */
const least = 64;

/** Weight of the newest window in the limit. */
const newest = 0.3;

export interface ConcurrencyLimitOptions {
  readonly clock: Clock;
  /** The mean time in the server that answers are held to while more come than it can answer, ms. */
  readonly answerMsTarget: number;
  /** More are never in flight. */
  readonly inFlightMax: number;
}

/**
 * How many rank requests are answered at a time. Where it is reached, or answers keep taking too long, it is what the
 * server gets done in the time that an answer should take: more in flight would only be later (Little's law,
 * L = lambda W; Operations Research 9(3), 1961). One that has become too low finds up again by the same rule, since
 * answers are then early. It counts whatever holds a request up: a busy event loop, inference, the disk.
 */
export class ConcurrencyLimit {
  readonly #options: ConcurrencyLimitOptions;
  #limit: number;
  #inFlight = 0;
  #windowBegan: number;
  #answers = 0;
  #sumMs = 0;
  #wasReached = false;
  #wasLate = false;

  constructor(options: ConcurrencyLimitOptions) {
    this.#options = options;
    this.#limit = options.inFlightMax;
    this.#windowBegan = options.clock.monotonic();
  }

  get limit(): number {
    return Math.floor(this.#limit);
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Whether one more would be one too many. */
  isReached(): boolean {
    if (this.#inFlight < this.limit) return false;
    this.#wasReached = true;
    return true;
  }

  begin(): void {
    this.#inFlight += 1;
  }

  /** @param tookMs since the request's arrival. */
  end(tookMs: number): void {
    this.#inFlight -= 1;
    this.#answers += 1;
    this.#sumMs += tookMs;
    const now = this.#options.clock.monotonic();
    if (now - this.#windowBegan >= windowMs) this.#judge(now);
  }

  #judge(now: number): void {
    const { answerMsTarget, inFlightMax } = this.#options;
    const isLate = this.#sumMs / this.#answers > answerMsTarget;
    // One late window may be a pause of the machine.
    if (this.#wasReached || (isLate && this.#wasLate)) {
      const answersPerMs = this.#answers / (now - this.#windowBegan);
      const limit = this.#limit + (answersPerMs * answerMsTarget - this.#limit) * newest;
      this.#limit = Math.min(inFlightMax, Math.max(least, limit));
    }
    this.#wasLate = isLate;
    this.#wasReached = false;
    this.#windowBegan = now;
    this.#answers = 0;
    this.#sumMs = 0;
  }
}
