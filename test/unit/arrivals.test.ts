import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { scheduleArrivals } from "../../loadtest/arrivals.ts";
import { randomStream } from "../../src/simulation/random-stream.ts";

describe("the schedule of arrivals", () => {
  it("spaces fixed arrivals evenly", () => {
    const arrivals = scheduleArrivals("fixed", 50, 0.1, randomStream("unused"));
    expect([...arrivals]).toEqual([20, 40, 60, 80, 100]);
  });

  it("rises and stays within the run, at any rate", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1, max: 2_000, noNaN: true }),
        fc.double({ min: 0.05, max: 2, noNaN: true }),
        fc.string(),
        (rate, seconds, name) => {
          const arrivals = scheduleArrivals("poisson", rate, seconds, randomStream(name));
          expect(arrivals.every((at, i) => at >= (arrivals[i - 1] ?? 0) && at <= seconds * 1_000)).toBe(true);
        },
      ),
    );
  });

  it("is a Poisson process: as many arrivals as the rate says, and gaps as variable as their mean", () => {
    const arrivals = scheduleArrivals("poisson", 200, 100, randomStream("poisson"));
    // 20,000 expected; a Poisson count's standard error is its root, 141.
    expect(Math.abs(arrivals.length - 20_000)).toBeLessThan(5 * 141);
    const gaps = Array.from(arrivals, (at, i) => at - (arrivals[i - 1] ?? 0));
    const mean = gaps.reduce((a, b) => a + b, 0) / gaps.length;
    const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
    expect(deviation / mean).toBeGreaterThan(0.95);
    expect(deviation / mean).toBeLessThan(1.05);
  });

  it("repeats itself for the same seed", () => {
    const draw = (seed: number) => scheduleArrivals("poisson", 100, 1, randomStream(seed));
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });
});
