/** The sums that DuckDB makes of limbs are the moments themselves, to the last digit but one. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { ResultRow } from "../../src/measurement/engine.ts";
import { momentsIn, momentsQuery } from "../../src/measurement/exact-moments.ts";
import { withScratchDatabase } from "../../src/measurement/scratch-database.ts";

/** All 53 bits of a double: the last eight stand in the lower limb, and the products of both limbs count. */
const value = fc.bigInt({ min: -(2n ** 53n) + 1n, max: 2n ** 53n - 1n });
const units = fc.array(fc.tuple(value, value), { minLength: 2, maxLength: 12 });

const sum = (of: readonly bigint[]): bigint => of.reduce((all, one) => all + one, 0n);
const product = (x: readonly bigint[], y: readonly bigint[]): bigint =>
  BigInt(x.length) * sum(x.map((one, i) => one * (y[i] as bigint))) - sum(x) * sum(y);

/** Relative to `scale`, in units of a double's last place but one. */
const apart = (got: number | undefined, wanted: number): number =>
  wanted === 0 ? Math.abs(got as number) : Math.abs((got as number) / wanted - 1) / 2 ** -51;

test("means and products of two variables", async () => {
  await withScratchDatabase({ threads: 1 }, (warehouse) =>
    fc.assert(
      fc.asyncProperty(units, async (pairs) => {
        const rows = pairs.map(([x, y]) => `(0, ${x}::DOUBLE, ${y}::DOUBLE)`);
        const relation = `(SELECT * FROM (VALUES ${rows.join(", ")}) rows(arm, v0, v1))`;
        const query = momentsQuery(
          relation,
          2,
          [
            [0, 0],
            [0, 1],
            [1, 1],
          ],
          [],
        );
        const found = (await warehouse.runAndReadAll(query)).getRowObjectsJson() as ResultRow[];
        const [x, y] = [pairs.map(([one]) => one), pairs.map(([, other]) => other)];
        const n = BigInt(pairs.length);
        const over = (dividend: bigint, divisor: bigint): number => {
          const shift = 2n ** 200n;
          return Number((dividend * shift) / divisor) / 2 ** 200;
        };
        const [moments] = momentsIn(found, [0, 1], 1);
        const [turned] = momentsIn(found, [1, 0], 1);
        const distances = [
          apart(moments?.means[0], over(sum(x), n)),
          apart(moments?.means[1], over(sum(y), n)),
          apart(moments?.products[0]?.[0], over(product(x, x), n)),
          apart(moments?.products[0]?.[1], over(product(x, y), n)),
          apart(moments?.products[1]?.[0], over(product(y, x), n)),
          apart(moments?.products[1]?.[1], over(product(y, y), n)),
          apart(turned?.products[0]?.[1], over(product(x, y), n)),
        ];
        expect(Math.max(...distances)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 60 },
    ),
  );
});
