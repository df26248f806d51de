import { describe, expect, test } from "vitest";
import { ConcurrencyLimit } from "../../src/serving/concurrency-limit.ts";

/** A server that takes as many as it may and answers `perMs` a millisecond, the longest-waiting first. */
function server(options: { answerMsTarget?: number; inFlightMax?: number } = {}) {
  let now = 0;
  let turnEnds = (): void => undefined;
  const limit = new ConcurrencyLimit({
    clock: { now: () => now, monotonic: () => now },
    answerMsTarget: options.answerMsTarget ?? 25,
    inFlightMax: options.inFlightMax ?? 1_000,
    afterTurn(ended) {
      turnEnds = ended;
    },
  });
  const arrivals: number[] = [];
  return {
    limit,
    /** So many milliseconds in which `offered` come each. Returns how many were refused, and how long answers took. */
    run(ms: number, { perMs, offered, refusalMs = 0 }: Load): { refused: number; meanMs: number } {
      let refused = 0;
      let answered = 0;
      let sumMs = 0;
      for (const end = now + ms; now < end; ) {
        now += 1;
        for (let request = 0; request < offered; request++) {
          if (limit.isReached()) {
            refused += 1;
            now += refusalMs;
            limit.refused(refusalMs);
          } else {
            arrivals.push(limit.begin());
          }
        }
        for (const since of arrivals.splice(0, perMs)) {
          limit.end(since);
          answered += 1;
          sumMs += now - since;
        }
        const ended = turnEnds;
        turnEnds = () => undefined;
        ended();
      }
      return { refused, meanMs: sumMs / answered };
    },
    /** Nothing happens, as where the machine has given the processor to somebody else. */
    pause(ms: number): void {
      now += ms;
    },
  };
}

interface Load {
  readonly perMs: number;
  readonly offered: number;
  readonly refusalMs?: number;
}

describe("how many are answered at a time", () => {
  test("is no matter while all are answered in time", () => {
    const { run, limit } = server();
    expect(run(5_000, { perMs: 6, offered: 5 }).refused).toBe(0);
    expect(limit.limit).toBe(1_000);
    expect(limit.inFlight).toBe(0);
  });

  test("becomes what the server gets done in the time that an answer should take", () => {
    const { run, limit } = server();
    run(2_000, { perMs: 6, offered: 30 });
    const { refused, meanMs } = run(5_000, { perMs: 6, offered: 30 });
    expect(limit.limit).toBeGreaterThanOrEqual(150);
    expect(limit.limit).toBeLessThanOrEqual(180);
    expect(meanMs).toBeGreaterThan(22);
    expect(meanMs).toBeLessThan(29);
    // The server is never idle: what it can answer is answered.
    expect(refused).toBeLessThan(5_000 * 24.1);
  });

  test("follows the target, and a server that becomes slower or faster", () => {
    const { run } = server({ answerMsTarget: 50 });
    run(2_000, { perMs: 6, offered: 30 });
    expect(run(2_000, { perMs: 6, offered: 30 }).meanMs).toBeLessThan(58);
    run(2_000, { perMs: 3, offered: 30 });
    expect(run(2_000, { perMs: 3, offered: 30 }).meanMs).toBeLessThan(58);
    run(2_000, { perMs: 9, offered: 30 });
    const faster = run(2_000, { perMs: 9, offered: 30 });
    expect(faster.meanMs).toBeGreaterThan(44);
    expect(faster.refused).toBeLessThan(2_000 * 21.1);
  });

  test("is not lower for the time that refusing takes: fewer in flight would be answered no sooner", () => {
    const { run, limit } = server();
    const load = { perMs: 6, offered: 30, refusalMs: 1 / 24 };
    run(4_000, load);
    run(4_000, load);
    expect(limit.limit).toBeGreaterThan(140);
  });

  test("is never so low that a handful of requests would be refused", () => {
    const { run, limit } = server();
    run(3_000, { perMs: 1, offered: 5 });
    expect(limit.limit).toBeGreaterThanOrEqual(64);
    expect(limit.limit).toBeLessThan(80);
  });

  test("is not lowered by one pause, however long it made some answers take", () => {
    const { run, limit, pause } = server();
    run(1_000, { perMs: 6, offered: 5 });
    pause(400);
    run(60, { perMs: 6, offered: 5 });
    expect(limit.limit).toBe(1_000);
  });

  test("is not lower for the time in which nobody was there: bursts are held to what the server gets done in them", () => {
    const { run, limit, pause } = server({ answerMsTarget: 20 });
    const limits: number[] = [];
    for (let burst = 0; burst < 4; burst++) {
      run(1, { perMs: 5, offered: 300 });
      run(80, { perMs: 5, offered: 0 });
      limits.push(limit.limit);
      pause(900);
    }
    // 5 a millisecond for 20 ms; the first late window is none yet.
    expect(Math.min(...limits)).toBeGreaterThan(85);
    expect(Math.min(...limits)).toBeLessThan(115);
  });

  test("is no hindrance any more soon after an overload, and as high as ever a second later", () => {
    const { run, limit } = server();
    run(5_000, { perMs: 6, offered: 30 });
    run(100, { perMs: 6, offered: 4 });
    expect(run(1_000, { perMs: 6, offered: 5 }).refused).toBe(0);
    expect(limit.limit).toBe(1_000);
  });

  test("is reached for a while, in which whoever is let in had better cost little", () => {
    const { run, limit, pause } = server();
    run(1_000, { perMs: 6, offered: 5 });
    expect(limit.isRefusing()).toBe(false);
    run(2_000, { perMs: 6, offered: 30 });
    expect(limit.isRefusing()).toBe(true);
    run(60, { perMs: 6, offered: 0 });
    expect(limit.isRefusing()).toBe(true);
    pause(60);
    run(1, { perMs: 6, offered: 1 });
    expect(limit.isRefusing()).toBe(false);
  });

  test("that somebody has set says nothing of lateness where it is reached", () => {
    const { run, limit } = server({ inFlightMax: 8 });
    expect(run(1_000, { perMs: 5, offered: 10 }).refused).toBeGreaterThan(0);
    expect(limit.isRefusing()).toBe(false);
  });

  test("holds those that are answered at once too, until their turn of the event loop ends", () => {
    let ended = (): void => undefined;
    const limit = new ConcurrencyLimit({
      clock: { now: () => 0, monotonic: () => 0 },
      answerMsTarget: 25,
      inFlightMax: 2,
      afterTurn: (then) => {
        ended = then;
      },
    });
    for (let request = 0; request < 2; request++) {
      expect(limit.isReached()).toBe(false);
      limit.end(limit.begin());
    }
    expect([limit.isReached(), limit.inFlight]).toEqual([true, 2]);
    ended();
    expect([limit.isReached(), limit.inFlight]).toEqual([false, 0]);
  });

  test("is at most what was configured", () => {
    const { run, limit } = server({ inFlightMax: 100 });
    expect(run(1, { perMs: 0, offered: 101 }).refused).toBe(1);
    run(2_000, { perMs: 20, offered: 100 });
    expect(limit.limit).toBe(100);
  });
});
