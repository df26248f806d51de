import fc from "fast-check";
import { expect, test } from "vitest";
import { factorOf, spread } from "../../src/ranking/diversity.ts";
import { explainRanking, rankCandidates } from "../../src/ranking/ranking.ts";
import { modelWith } from "../support/ranking-model.ts";

const share = fc.oneof(fc.constantFrom(0, 0.5, 1), fc.double({ min: 0, max: 1, noNaN: true }));
const step = fc.record({ decay: share, floor: share }).map((one) => ({ by: "artist", ...one }));
const label = fc.option(fc.constantFrom("a1", "a2", "a3", "constructor", ""), { nil: undefined });
const score = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  // Adding 0 makes -0 the other zero: the two are equal, and either may stand for both.
  fc.double({ min: -1e300, max: 1e300, noNaN: true }).map((one) => one + 0),
  fc.constantFrom(Number.MAX_VALUE, -Number.MAX_VALUE),
);
const candidate = fc.record({ score, label });
const listed = fc.array(candidate, { maxLength: 80 });

test("what an item keeps falls with every repeat and never below the floor", () => {
  fc.assert(
    fc.property(step, fc.integer({ min: 1, max: 100 }), (one, repeats) => {
      const kept = factorOf(one, repeats, 1);
      expect(kept).toBeGreaterThanOrEqual(one.floor);
      expect(kept).toBeLessThanOrEqual(repeats === 1 ? 1 : factorOf(one, repeats - 1, 1));
      expect(factorOf(one, repeats, -1)).toBe(2 - kept);
    }),
  );
});

test("no score rises, none becomes no number, and who has no label or comes first keeps its own", () => {
  fc.assert(
    fc.property(listed, step, (list, one) => {
      const scores = Float64Array.from(list, (item) => item.score);
      const repeats = new Uint32Array(list.length);
      spread(
        scores,
        list.map((item) => item.label),
        one,
        repeats,
      );
      for (const [place, item] of list.entries()) {
        const after = scores[place] as number;
        expect(Number.isFinite(after)).toBe(true);
        expect(after).toBeLessThanOrEqual(item.score);
        if (repeats[place] === 0) expect(after).toBe(item.score);
        const better = list.filter(
          (other, at) =>
            other.label === item.label &&
            (other.score > item.score || (other.score === item.score && at < place)),
        );
        expect(repeats[place]).toBe(item.label === undefined ? 0 : better.length);
      }
    }),
  );
});

test("it is what picking one by one gives: each time the best of what is left, less for every one of its label before", () => {
  fc.assert(
    fc.property(listed, step, (list, one) => {
      const scores = Float64Array.from(list, (item) => item.score);
      const labels = list.map((item) => item.label);
      spread(scores, labels, one);
      const picked = pickedOneByOne(list, one);
      const sorted = Array.from(scores.keys()).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
      expect(sorted.map((place) => scores[place])).toEqual(picked);
    }),
  );
});

test("two steps lose no item and repeat none, and a limit only cuts", () => {
  const steps = fc.tuple(step, step).map(([one, other]) => [one, { ...other, by: "genre" }]);
  const items = fc.array(fc.record({ p: fc.float({ min: 0, max: 1, noNaN: true }), label, other: label }), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(items, steps, fc.integer({ min: 1, max: 60 }), (list, diversity, limit) => {
      const input = {
        candidates: list.map((_, place) => ({ id: `t${place}` })),
        probabilities: Float32Array.from(list, (item) => item.p),
        model: modelWith({
          tasks: ["click"],
          valueModel: { kind: "weighted-sum", weights: { click: 1 }, diversity },
        }),
        labels: [list.map((item) => item.label), list.map((item) => item.other)],
        limit: undefined,
      };
      const whole = rankCandidates(input);
      expect(new Set(whole.map(({ id }) => id))).toEqual(new Set(input.candidates.map(({ id }) => id)));
      expect(whole).toHaveLength(list.length);
      for (const [at, { score: own }] of whole.entries()) {
        expect(own).toBeGreaterThanOrEqual(whole[at + 1]?.score ?? Number.NEGATIVE_INFINITY);
      }
      expect(rankCandidates({ ...input, limit })).toEqual(whole.slice(0, limit));
      expect(explainRanking({ ...input, limit }).items).toHaveLength(Math.min(limit, list.length));
    }),
  );
});

/** The scores in the order of picking, by the definition, one item at a time. */
function pickedOneByOne(
  list: readonly { readonly score: number; readonly label: string | undefined }[],
  one: { readonly by: string; readonly decay: number; readonly floor: number },
): number[] {
  const left = list.map((item, place) => ({ ...item, place }));
  // Of one label the better one goes first, also where what both would keep is the same.
  left.sort((a, b) => b.score - a.score || a.place - b.place);
  const seen = new Map<string, number>();
  const picked: number[] = [];
  while (left.length > 0) {
    const worth = left.map(({ score: own, label: mine }) => {
      const repeats = mine === undefined ? 0 : (seen.get(mine) ?? 0);
      const kept = repeats === 0 ? own : own * factorOf(one, repeats, own);
      return Math.max(-Number.MAX_VALUE, kept);
    });
    const best = worth.indexOf(Math.max(...worth));
    const [{ label: mine } = { label: undefined }] = left.splice(best, 1);
    if (mine !== undefined) seen.set(mine, (seen.get(mine) ?? 0) + 1);
    picked.push(worth[best] as number);
  }
  return picked;
}
