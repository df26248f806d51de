import fc from "fast-check";
import { expect, test } from "vitest";
import { bestFirst } from "../../src/ranking/selection.ts";

// Few values, so that ties are common.
const score = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true, noDefaultInfinity: true }));
const scores = fc.array(score, { maxLength: 300 }).map((list) => Float64Array.from(list));

test("the best are the beginning of the full sort, ties by the place in the request, whatever the limit", () => {
  fc.assert(
    fc.property(scores, fc.nat({ max: 300 }), (all, limit) => {
      const sorted = Array.from(all.keys()).sort((a, b) => (all[b] ?? 0) - (all[a] ?? 0) || a - b);
      const shown = Math.min(limit, all.length);
      expect(Array.from(bestFirst(all, shown))).toEqual(sorted.slice(0, shown));
      expect(Array.from(bestFirst(all, all.length))).toEqual(sorted);
    }),
  );
});

test("looking for the best changes no score", () => {
  fc.assert(
    fc.property(scores, (all) => {
      const before = all.slice();
      bestFirst(all, all.length);
      expect(all).toEqual(before);
    }),
  );
});
