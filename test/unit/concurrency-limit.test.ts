import { describe, expect, test } from "vitest";
import { ConcurrencyLimit } from "../../src/serving/concurrency-limit.ts";

/** A server that keeps as many in flight as it may and gets `perMs` done a millisecond, for so many milliseconds. */
function server(options: { answerMsTarget?: number; inFlightMax?: number } = {}) {
  let now = 0;
  const limit = new ConcurrencyLimit({
    clock: { now: () => now, monotonic: () => now },
    answerMsTarget: options.answerMsTarget ?? 25,
    inFlightMax: options.inFlightMax ?? 1_000,
  });
  const arrivals: number[] = [];
  const step = (perMs: number, offered: number): number => {
    let refused = 0;
    now += 1;
    for (let request = 0; request < offered; request++) {
      if (limit.isReached()) refused += 1;
      else {
        limit.begin();
        arrivals.push(now);
      }
    }
    for (const arrived of arrivals.splice(0, perMs)) limit.end(now - arrived);
    return refused;
  };
  return {
    limit,
    /** Returns how many were refused. */
    run(ms: number, { perMs, offered }: { perMs: number; offered: number }): number {
      let refused = 0;
      for (let tick = 0; tick < ms; tick++) refused += step(perMs, offered);
      return refused;
    },
    /** Nothing happens, as where the machine has given the processor to somebody else. */
    pause(ms: number): void {
      now += ms;
    },
  };
}

describe("how many are answered at a time", () => {
  test("is no matter while all are answered in time", () => {
    const { run, limit } = server();
    expect(run(5_000, { perMs: 6, offered: 5 })).toBe(0);
    expect(limit.limit).toBe(1_000);
    expect(limit.inFlight).toBe(0);
  });

  test("becomes what the server gets done in the time that an answer should take", () => {
    const { run, limit } = server();
    run(2_000, { perMs: 6, offered: 30 });
    expect(limit.limit).toBeGreaterThan(140);
    expect(limit.limit).toBeLessThan(160);
    const refused = run(1_000, { perMs: 6, offered: 30 });
    expect(refused).toBeGreaterThan(23_500);
    expect(refused).toBeLessThan(24_500);
  });

  test("follows the target, and a server that becomes slower or faster", () => {
    const { run, limit } = server({ answerMsTarget: 50 });
    run(2_000, { perMs: 6, offered: 30 });
    expect(limit.limit).toBeGreaterThan(285);
    expect(limit.limit).toBeLessThan(315);
    run(2_000, { perMs: 3, offered: 30 });
    expect(limit.limit).toBeGreaterThan(140);
    expect(limit.limit).toBeLessThan(165);
    run(2_000, { perMs: 9, offered: 30 });
    expect(limit.limit).toBeGreaterThan(430);
    expect(limit.limit).toBeLessThan(470);
  });

  test("is never so low that a handful of requests would be refused", () => {
    const { run, limit } = server();
    run(3_000, { perMs: 1, offered: 5 });
    expect(limit.limit).toBe(64);
  });

  test("is not lowered by one pause, however long it made some answers take", () => {
    const { run, limit, pause } = server();
    run(1_000, { perMs: 6, offered: 5 });
    pause(400);
    run(60, { perMs: 6, offered: 5 });
    expect(limit.limit).toBe(1_000);
  });

  test("is no hindrance any more soon after an overload", () => {
    const { run } = server();
    run(5_000, { perMs: 6, offered: 30 });
    run(500, { perMs: 6, offered: 4 });
    expect(run(1_000, { perMs: 6, offered: 5 })).toBe(0);
  });

  test("is at most what was configured", () => {
    const { run, limit } = server({ inFlightMax: 100 });
    expect(run(1, { perMs: 0, offered: 101 })).toBe(1);
    run(2_000, { perMs: 20, offered: 100 });
    expect(limit.limit).toBe(100);
  });
});
