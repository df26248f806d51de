import { describe, expect, test } from "vitest";
import { Backlog } from "../../src/inference/backlog.ts";

const limits = { queueWaitMaxMs: 100, standingQueueWaitMaxMs: 20 };

/** Runs of 100 candidates that take 10 ms: a tenth of a millisecond a candidate. */
function measured(workers = 1): Backlog {
  const backlog = new Backlog(limits, workers);
  for (let run = 0; run < 50; run++) {
    backlog.begin(100, 0);
    backlog.end(100, 10);
  }
  return backlog;
}

describe("how far behind inference is", () => {
  test("is nothing that anybody knows before the first run", () => {
    const backlog = new Backlog(limits, 1);
    backlog.wait(1_000);
    expect(backlog.expectedWaitMs()).toBe(0);
  });

  test("is what waits and what runs, at what a candidate took of late", () => {
    const backlog = measured();
    backlog.wait(300);
    backlog.begin(100, 0);
    expect(backlog.expectedWaitMs()).toBeCloseTo(40, 6);
    expect(backlog.expectedRunMs()).toBeCloseTo(10, 6);
    backlog.wait(-300);
    backlog.end(100, undefined);
    expect(backlog.expectedWaitMs()).toBe(0);
  });

  test("is shared by the workers", () => {
    const backlog = measured(2);
    backlog.wait(300);
    expect(backlog.expectedWaitMs()).toBeCloseTo(15, 6);
  });

  test("is not judged by what a run of one candidate takes, nearly all of it overhead", () => {
    const backlog = new Backlog(limits, 1);
    for (let run = 0; run < 100; run++) {
      const [candidates, ms] = run % 2 === 0 ? ([1, 0.5] as const) : ([1_000, 5] as const);
      backlog.begin(candidates, 0);
      backlog.end(candidates, ms);
    }
    backlog.begin(1_000, 0);
    expect(backlog.expectedWaitMs()).toBeGreaterThan(4);
    expect(backlog.expectedWaitMs()).toBeLessThan(7);
  });

  test("follows a model that becomes slower", () => {
    const backlog = measured();
    for (let run = 0; run < 60; run++) {
      backlog.begin(100, 0);
      backlog.end(100, 20);
    }
    backlog.wait(100);
    expect(backlog.expectedWaitMs()).toBeGreaterThan(19.9);
  });
});

describe("a queue", () => {
  test("that stands and is short was held up by a pause: who waited in it may have waited longer", () => {
    const backlog = measured();
    backlog.wait(50);
    backlog.begin(0, 0);
    expect(backlog.isStanding(200)).toBe(true);
    expect(backlog.waitedMaxMs(200)).toBe(100);
    backlog.wait(100);
    expect(backlog.waitedMaxMs(200)).toBe(20);
  });

  test("stands once runs have not emptied it for a tenth of a second, and no longer when they have", () => {
    const backlog = measured();
    backlog.wait(100);
    backlog.begin(100, 1_000);
    expect(backlog.isStanding(1_100)).toBe(false);
    expect(backlog.waitMaxMs(1_100)).toBe(100);
    // What leaves and what joins meanwhile changes nothing, as long as something is left.
    backlog.wait(100);
    backlog.wait(-100);
    backlog.begin(100, 1_060);
    expect(backlog.isStanding(1_101)).toBe(true);
    expect(backlog.waitMaxMs(1_101)).toBe(20);
    backlog.wait(-100);
    expect(backlog.isStanding(1_102)).toBe(false);
    backlog.wait(100);
    backlog.begin(100, 1_103);
    expect(backlog.isStanding(1_150)).toBe(false);
  });

  test("does not stand behind one slow run, and has its time once that is over", () => {
    const backlog = measured();
    backlog.begin(100, 0);
    backlog.wait(300);
    expect(backlog.isStanding(5_000)).toBe(false);
    backlog.end(100, 5_000);
    backlog.wait(-100);
    backlog.begin(100, 5_000);
    expect(backlog.isStanding(5_100)).toBe(false);
    expect(backlog.isStanding(5_101)).toBe(true);
  });

  test("is heavy once it stands and half of what it may cost is there", () => {
    const backlog = measured();
    backlog.wait(45);
    backlog.begin(45, 0);
    expect(backlog.isHeavy(500)).toBe(false);
    backlog.wait(20);
    expect(backlog.isHeavy(500)).toBe(true);
    expect(backlog.isHeavy(50)).toBe(false);
  });
});
