/**
 * Says how long to wait so that no more than so many bytes a second are sent: a bucket of one second, so that what
 * gathered while nothing came is not held up, and a backlog goes at the rate.
 */
export class Pace {
  readonly #bytesPerMs: number;
  /** When what was sent by now is paid for, ms on the monotonic clock. */
  #paidAt = Number.NEGATIVE_INFINITY;

  constructor(bytesPerSecondMax: number) {
    this.#bytesPerMs = bytesPerSecondMax / 1_000;
  }

  /** @param now ms on the monotonic clock. @returns ms to wait before the bytes are sent; they count as sent. */
  take(bytes: number, now: number): number {
    this.#paidAt = Math.max(this.#paidAt, now - burstMs);
    const wait = Math.max(0, this.#paidAt - now);
    this.#paidAt += bytes / this.#bytesPerMs;
    return wait;
  }
}

const burstMs = 1_000;
