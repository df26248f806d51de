/** Experiments without an effect, looked at again and again: how often is one found? Seeded, so exact. */
import { describe, expect, test } from "vitest";
import { randomStream } from "../../src/simulation/random-stream.ts";
import { alwaysValidBound } from "../../src/statistics/always-valid.ts";
import { type SequentialPlan, sequentialBounds } from "../../src/statistics/group-sequential.ts";
import { notWorseAndBetter } from "../../src/statistics/not-worse-and-better.ts";

const seed = "2026-11-26";

/** Paths of a z statistic at equal steps of information, one a life. */
function lives(count: number, steps: number, name: string): number[][] {
  const random = randomStream(seed, name);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  return Array.from({ length: count }, () => {
    let sum = 0;
    return Array.from({ length: steps }, (_, step) => {
      sum += normal();
      return sum / Math.sqrt(step + 1);
    });
  });
}

/** Three standard errors of a share of `runs`. */
const band = (share: number, runs: number) => 3 * Math.sqrt((share * (1 - share)) / runs);

const plans: SequentialPlan[] = [
  { alpha: 0.05, sides: 2, spending: "obrien-fleming" },
  { alpha: 0.05, sides: 2, spending: "pocock" },
  { alpha: 0.05, sides: 1, spending: "obrien-fleming" },
  { alpha: 0.05, sides: 1, spending: "pocock" },
];

describe.each(plans)("$spending, sides: $sides", ({ alpha, sides, spending }) => {
  test.each([1, 5, 20])("%i looks find something in alpha of 6,000 lives", (looks) => {
    const fractions = Array.from({ length: looks }, (_, look) => (look + 1) / looks);
    const design = sequentialBounds({ alpha, sides, spending }, fractions);
    if (!design.ok) throw new Error(design.reason);
    const { bounds } = design.value;
    const found = lives(6_000, looks, `${spending} ${sides} ${looks}`).filter((life) =>
      life.some((z, look) => (sides === 2 ? Math.abs(z) : z) > (bounds[look] as number)),
    );
    expect(Math.abs(found.length / 6_000 - alpha)).toBeLessThan(band(alpha, 6_000));
  });
});

test("the same twenty looks with the bound for one look find something in far more", () => {
  const found = lives(6_000, 20, "naive").filter((life) => life.some((z) => Math.abs(z) > 1.96));
  expect(found.length / 6_000).toBeGreaterThan(0.2);
});

test("one-sided always-valid, looked at a thousand times: found in at most alpha, and not in none", () => {
  const runs = 1_000;
  const alpha = 0.1;
  const found = lives(runs, 1_000, "always-valid").filter((life) =>
    life.some((z, step) => {
      const units = (step + 1) * 10;
      const standardError = 1 / Math.sqrt(units);
      const seen = { estimate: z * standardError, standardError };
      const tested = alwaysValidBound(seen, units, { side: "above", than: 0, alpha, tunedUnits: 5_000 });
      return tested.ok && tested.value.pValue <= alpha;
    }),
  );
  expect(found.length).toBeGreaterThan(0);
  expect(found.length / runs).toBeLessThan(alpha + band(alpha, runs));
});

test("a faster ranker whose quality is worse by exactly the margin is shipped in at most alpha of its lives", () => {
  const runs = 400;
  const alpha = 0.1;
  const shipped = lives(runs, 200, "distilled").filter((life) =>
    life.some((z, step) => {
      const units = (step + 1) * 25;
      const variance = 1 / units;
      const control = { units, value: 1, variance };
      // Both arms' noise is in z; quality is 0.1 below control, which the margin just does not allow to be more.
      const treated = { units, value: 0.9 + z * Math.sqrt(2 * variance), variance };
      const statement = notWorseAndBetter(
        { treated, control, margin: { goal: "increase", kind: "absolute", size: 0.1 } },
        [{ name: "latency", goal: "decrease", treated: { ...control, value: 0.1 }, control }],
        { alpha, horizon: "always-valid", tunedUnits: 5_000 },
      );
      return statement.ok && statement.value.verdict === "proven";
    }),
  );
  expect(shipped.length).toBeGreaterThan(0);
  expect(shipped.length / runs).toBeLessThan(alpha + band(alpha, runs));
});
