/** Values whose sums are added up in parts. */
import fc from "fast-check";

/** Values on a grid of thousandths: any spread that there is, is one that doubles can tell from rounding. */
export const value = fc.integer({ min: -1_000_000, max: 1_000_000 }).map((n) => n / 1_000);

/** The values, shuffled, and where one part of them ends and the next starts. */
export const splitting = <T>(values: fc.Arbitrary<T[]>) =>
  values.chain((all) =>
    fc.record({
      all: fc.constant(all),
      shuffled: fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length }),
      cuts: fc
        .array(fc.nat({ max: all.length }), { maxLength: 6 })
        .map((cuts) => cuts.toSorted((a, b) => a - b)),
    }),
  );

export function partsOf<T>(values: readonly T[], cuts: readonly number[]): T[][] {
  return [0, ...cuts].map((from, i) => values.slice(from, cuts[i] ?? values.length));
}
