/** Larger ones are mostly outcomes in hundreds, which wait for their sync anyway. */
const bytesMax = 64 * 1_024;

/** Into the page cache, such a write takes 5 to 30 us: one that takes this long was held up by the disk. */
const slowMs = 2;

/** For so long the thread pool has all writes then. */
const pauseMs = 1_000;

/**
 * Which writes are made on the answering thread itself. They only reach the page cache, and a thread of the pool that has
 * to be woken costs more than the write: without it 16 clients of 10 candidates get 15 % more answers, and one
 * client its answer 16 % sooner (Node 24, two virtual processors, five turns of both). A disk that holds up writes has them
 * in the pool from the first slow one on, so that this thread waits for it once a second at the most.
 */
export class QuickWrites {
  #notBefore = Number.NEGATIVE_INFINITY;

  /** @param now monotonic ms. */
  isQuick(bytes: number, now: number): boolean {
    return bytes <= bytesMax && now >= this.#notBefore;
  }

  /** A write on this thread that began and ended then, monotonic ms. */
  took(began: number, ended: number): void {
    if (ended - began > slowMs) this.#notBefore = ended + pauseMs;
  }
}
