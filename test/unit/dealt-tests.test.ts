import fc from "fast-check";
import { expect, test } from "vitest";
import { calibratedTest } from "../../src/designs/calibration-design.ts";
import { DealtMoments } from "../../src/designs/dealt-moments.ts";
import { type DealtTest, testsUnderSalts } from "../../src/designs/dealt-tests.ts";
import {
  crossOf,
  difference,
  type Estimate,
  estimateOfRatio,
  type JointMoments,
  jointMomentsOf,
} from "../../src/statistics/statistics.ts";

test("moments of dealt units are those of each arm's own rows", () => {
  const row = fc.tuple(
    fc.integer({ min: 0, max: 2 }),
    fc.double({ min: -1e6, max: 1e6, noNaN: true }),
    fc.integer({ min: 0, max: 5 }),
  );
  fc.assert(
    fc.property(fc.array(row, { minLength: 3, maxLength: 40 }), (rows) => {
      const columns = [1, 2].map((at) => Float64Array.from(rows, (one) => one[at] as number));
      const pairs = [
        [0, 0],
        [0, 1],
        [1, 1],
      ] as const;
      const found = new DealtMoments(columns, pairs).byArm(
        Uint8Array.from(rows, ([arm]) => arm),
        3,
      );
      for (const [arm, moments] of found.entries()) {
        const own = rows.filter((one) => one[0] === arm).map(([, x, y]) => [x, y]);
        const expected = jointMomentsOf(own, 2);
        expect(moments.count).toBe(expected.count);
        for (const i of own.length === 0 ? [] : [0, 1]) {
          expect(moments.means[i]).toBeCloseTo(expected.means[i] as number, 6);
          for (const j of [0, 1]) {
            const scale = Math.max(1, Math.abs(expected.products[i]?.[j] as number));
            expect((moments.products[i]?.[j] as number) / scale).toBeCloseTo(
              (expected.products[i]?.[j] as number) / scale,
              3,
            );
          }
        }
      }
    }),
  );
});

const arms = ["control", "kd"].map((id, i) => ({ id, control: i === 0, weight: 1, model: { name: id } }));

/** Units that send one to twelve requests, each unit liking more or less of them. */
const rows = Array.from({ length: 2_000 }, (_, unit) => {
  const requests = 1 + ((unit * 7_919) % 12);
  const taste = ((unit * 104_729) % 101) / 101;
  const values = Array.from({ length: requests }, (_, n) => Number(((unit + n * 31) % 17) / 17 < taste));
  const sum = values.reduce((all, value) => all + value, 0);
  return [sum, requests, sum] as const;
});

const isShown = false;
const isAdjusted = false;

const byUnits: DealtTest = (dealt) => {
  const [control, treated] = dealt.map((one) => estimateOfRatio(crossOf(one, 1, 0)));
  const tested = treated?.ok && control?.ok ? difference(treated.value, control.value, 0.05) : undefined;
  return tested?.ok ? { pValue: tested.value.pValue, isShown, isAdjusted } : undefined;
};

/** As if every request had been dealt by itself: `(mean of y^2 - mean^2) / requests`. */
const byRequests: DealtTest = (dealt) => {
  const estimateOf = ({ count, means }: JointMoments): Estimate => {
    const [sum, requests, squares] = means as [number, number, number];
    const value = sum / requests;
    return {
      units: count * requests,
      value,
      variance: (squares / requests - value ** 2) / (count * requests),
    };
  };
  const [control, treated] = dealt.map(estimateOf) as [Estimate, Estimate];
  const tested = difference(treated, control, 0.05);
  return tested.ok ? { pValue: tested.value.pValue, isShown, isAdjusted } : undefined;
};

test("a test whose variance is of requests, and not of the units that were dealt, is found not uniform", async () => {
  const units = {
    ids: rows.map((_, unit) => `u${unit}`),
    columns: [0, 1, 2].map((at) => Float64Array.from(rows, (row) => row[at] as number)),
    pairs: [0, 1, 2].flatMap((i) => [0, 1, 2].filter((j) => i <= j).map((j) => [i, j] as const)),
  };
  const [right, wrong] = await testsUnderSalts(units, arms, [byUnits, byRequests], 1_000);
  const [held, broken] = [calibratedTest(right ?? [], 0.05), calibratedTest(wrong ?? [], 0.05)];
  expect(held.uniformity?.pValue).toBeGreaterThan(0.01);
  expect(held.falsePositives).toBeLessThan(0.071);
  expect(broken.uniformity?.pValue).toBeLessThan(1e-6);
  expect(broken.falsePositives).toBeGreaterThan(0.15);
});
