import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";

/** An answered request of any kind. */
interface Answer {
  readonly status: number;
  readonly body: unknown;
}

type Post = (path: string, body: object) => Promise<Answer>;

/**
 * Clients of a server whose log may not be writable, and the book that they keep. Each ranks, then sends three outcomes,
 * and sends those again until they are acknowledged, or until it is told to stop.
 */
export class LoggingClients {
  /** Requests whose answers came. */
  readonly answered = new Set<string>();
  readonly acknowledged = new Set<string>();
  readonly sent = new Set<string>();
  refusals = 0;
  slowestRankMs = 0;
  readonly #post: Post;
  readonly #running: Promise<void>;
  #over = false;

  constructor(post: Post, clients: number) {
    this.#post = post;
    this.#running = Promise.all(Array.from({ length: clients }, (_, number) => this.#client(number))).then(
      () => undefined,
    );
  }

  async stop(): Promise<void> {
    this.#over = true;
    await this.#running;
  }

  /** Resolves once so many more requests are answered. */
  async more(count: number): Promise<void> {
    const until = this.answered.size + count;
    while (this.answered.size < until) await Promise.race([delay(5), this.#running]);
  }

  async #client(number: number): Promise<void> {
    for (let round = 0; !this.#over; round++) {
      const requestId = `r-${number}-${round}`;
      const began = performance.now();
      const { status } = await this.#post("/v1/rank", {
        requestId,
        surface: "home",
        user: { id: `u${number}` },
        candidateIds: ["t1", "t2", "t3"],
        timeoutMs: 10_000,
      });
      expect(status).toBe(200);
      this.slowestRankMs = Math.max(this.slowestRankMs, performance.now() - began);
      this.answered.add(requestId);
      await this.#send(requestId);
    }
  }

  async #send(requestId: string): Promise<void> {
    const outcomes = [0, 1, 2].map((i) => ({
      outcomeId: `o-${requestId}-${i}`,
      requestId,
      itemId: "t1",
      type: "completion",
    }));
    for (const { outcomeId } of outcomes) this.sent.add(outcomeId);
    for (let attempt = 0; ; attempt++) {
      const { status } = await this.#post("/v1/outcomes", { outcomes });
      if (status === 200) break;
      expect(status).toBe(503);
      this.refusals++;
      // Nobody waits for a disk that stays full: what was not acknowledged may be lost.
      if (this.#over || attempt === 2) return;
      await delay(100);
    }
    for (const { outcomeId } of outcomes) this.acknowledged.add(outcomeId);
  }
}
