/** Tests that may be looked at whenever one likes: how often do they cry wolf, over a whole life of looks? Seeded, so exact. */
import { describe, expect, test } from "vitest";
import { latencyBucket, latencyBuckets } from "../../src/domain/arm-counts.ts";
import type { Random } from "../../src/domain/clock.ts";
import { randomStream } from "../../src/simulation/random-stream.ts";
import { evidenceAbove, proportionLow } from "../../src/statistics/proportion-evidence.ts";
import { sequentialSampleRatio } from "../../src/statistics/sequential-sample-ratio.ts";
import {
  evidenceOfHigherQuantile,
  evidenceOfHigherShare,
  quantileBucket,
} from "../../src/statistics/two-arm-evidence.ts";

const seed = "2026-11-26";
const alpha = 0.05;
const runs = 300;
/** alpha of the runs, plus three standard errors. */
const falseAlarmsMax = runs * alpha + 3 * Math.sqrt(runs * alpha * (1 - alpha));

/** In how many runs `alarm` says yes at any of the looks. */
function alarms(name: string, looks: number, begin: (random: Random) => () => boolean): number {
  const random = randomStream(seed, name);
  let count = 0;
  for (let run = 0; run < runs; run++) {
    const look = begin(random);
    for (let at = 0; at < looks; at++) {
      if (!look()) continue;
      count += 1;
      break;
    }
  }
  return count;
}

function events(random: Random, trials: number, share: number): number {
  let count = 0;
  for (let trial = 0; trial < trials; trial++) if (random.next() < share) count += 1;
  return count;
}

describe.each([0.001, 0.02, 0.5])("a share of %f that is what it may be", (share) => {
  test("is not found to be more in more than alpha of the lives, looked at after every 20 requests", () => {
    const wrong = alarms(`above ${share}`, 200, (random) => {
      let [seen, trials] = [0, 0];
      return () => {
        seen += events(random, 20, share);
        trials += 20;
        return evidenceAbove(seen, trials, share) >= -Math.log(alpha);
      };
    });
    expect(wrong).toBeLessThanOrEqual(falseAlarmsMax);
  });

  test("is not found to differ from another arm's that is alike", () => {
    const wrong = alarms(`arms ${share}`, 20, (random) => {
      let [treated, control, trials] = [0, 0, 0];
      return () => {
        treated += events(random, 40, share);
        control += events(random, 40, share);
        trials += 40;
        const evidence = evidenceOfHigherShare({ events: treated, trials }, { events: control, trials }, 0);
        return evidence >= -Math.log(alpha);
      };
    });
    expect(wrong).toBeLessThanOrEqual(falseAlarmsMax);
  });
});

test("looks after every single request give no more false alarms: a naive test gives them in most lives", () => {
  const share = 0.1;
  let naive = 0;
  const wrong = alarms("every request", 1_000, (random) => {
    let [seen, trials, hasCried] = [0, 0, false];
    return () => {
      seen += events(random, 1, share);
      trials += 1;
      const z = (seen / trials - share) / Math.sqrt((share * (1 - share)) / trials);
      if (!hasCried && z > 1.645) {
        hasCried = true;
        naive += 1;
      }
      return evidenceAbove(seen, trials, share) >= -Math.log(alpha);
    };
  });
  expect(wrong).toBeLessThanOrEqual(falseAlarmsMax);
  expect(naive).toBeGreaterThan(runs / 3);
});

test("a share three times what it may be is found within a thousand requests in nearly every life", () => {
  const found = alarms("power", 50, (random) => {
    let [seen, trials] = [0, 0];
    return () => {
      seen += events(random, 20, 0.03);
      trials += 20;
      return evidenceAbove(seen, trials, 0.01) >= -Math.log(alpha);
    };
  });
  expect(found).toBeGreaterThan(0.9 * runs);
});

test("one arm's share that is three times another's is found within a thousand requests of each", () => {
  const found = alarms("power of two", 50, (random) => {
    let [treated, control, trials] = [0, 0, 0];
    return () => {
      treated += events(random, 20, 0.09);
      control += events(random, 20, 0.03);
      trials += 20;
      return (
        evidenceOfHigherShare({ events: treated, trials }, { events: control, trials }, 0) >= -Math.log(alpha)
      );
    };
  });
  expect(found).toBeGreaterThan(0.9 * runs);
});

test("a lower bound is where the evidence is, 0 for what never happens, and below what was seen", () => {
  expect(proportionLow(0, 1_000, alpha)).toBe(0);
  const low = proportionLow(50, 1_000, alpha);
  expect(evidenceAbove(50, 1_000, low)).toBeCloseTo(-Math.log(alpha), 6);
  expect(low).toBeGreaterThan(0.03);
  expect(low).toBeLessThan(0.05);
});

/** Log-normal latencies around `median` ms, as most servers have them. */
function latency(random: Random, median: number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  return median * Math.exp(0.5 * normal);
}

function histogram(random: Random, median: number) {
  const counts = new Uint32Array(latencyBuckets + 1);
  return {
    counts,
    add(requests: number): void {
      for (let i = 0; i < requests; i++) {
        const bucket = latencyBucket(latency(random, median));
        counts[bucket] = (counts[bucket] as number) + 1;
      }
    },
  };
}

function slower(treatedMedian: number) {
  return (random: Random) => {
    const [treated, control] = [histogram(random, treatedMedian), histogram(random, 2)];
    return () => {
      treated.add(100);
      control.add(100);
      return evidenceOfHigherQuantile(treated.counts, control.counts, 0.99, 0) >= -Math.log(alpha);
    };
  };
}

test("two arms that are equally fast are not told apart by their p99, and one that takes three times as long is", () => {
  expect(alarms("p99 alike", 30, slower(2))).toBeLessThanOrEqual(falseAlarmsMax);
  expect(alarms("p99 slow", 30, slower(6))).toBeGreaterThan(0.99 * runs);
});

test("a quantile is found in its bucket", () => {
  const { counts, add } = histogram(randomStream(seed, "quantile"), 2);
  add(100_000);
  const truth = latencyBucket(2 * Math.exp(0.5 * 2.3263));
  expect(Math.abs(quantileBucket(counts, 0.99) - truth)).toBeLessThanOrEqual(2);
});

describe("a sample ratio that is looked at after every ten units", () => {
  const split = (share: number) => (random: Random) => {
    const units = [0, 0, 0];
    return () => {
      for (let i = 0; i < 10; i++) {
        const place = random.next();
        const arm = place < share ? 0 : place < share + (1 - share) / 2 ? 1 : 2;
        units[arm] = (units[arm] as number) + 1;
      }
      return sequentialSampleRatio(units, [2, 1, 1]) < alpha;
    };
  };

  test("is not found broken in more than alpha of the lives where it is whole", () => {
    expect(alarms("srm", 200, split(0.5))).toBeLessThanOrEqual(falseAlarmsMax);
  });

  test("is found broken where a tenth of one arm's units is lost", () => {
    expect(alarms("srm lost", 1_000, split(0.45 / 0.95))).toBeGreaterThan(0.9 * runs);
  });

  test("is no question without two arms that have a weight", () => {
    expect(sequentialSampleRatio([10, 0], [1, 0])).toBe(1);
    expect(sequentialSampleRatio([0, 0], [1, 1])).toBe(1);
  });
});
