import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { coinOf, teamDraft } from "../../src/ranking/interleave.ts";

/** Two orders of the same candidates, the best of each, and what the coins go by. */
const drafts = fc.integer({ min: 1, max: 40 }).chain((count) => {
  const places = Array.from({ length: count }, (_, place) => place);
  const order = fc.shuffledSubarray(places, { minLength: count });
  return fc.record({
    one: order,
    other: fc.oneof(order, fc.constant(undefined)),
    shown: fc.integer({ min: 1, max: count }),
    key: fc.string(),
  });
});
const best = (order: readonly number[], shown: number) => Uint32Array.from(order.slice(0, shown));

/** The paper's algorithm as it stands there: a coin where the teams are equal, else the smaller one picks. */
function byTheBook(lists: readonly number[][], shown: number, coin: (round: number) => boolean) {
  const drafted: { place: number; team: number }[] = [];
  const sizeOf = (team: number) => drafted.filter((pick) => pick.team === team).length;
  while (drafted.length < shown) {
    const [first, second] = [sizeOf(0), sizeOf(1)];
    const team = first < second || (first === second && coin(first)) ? 0 : 1;
    const place = lists[team]?.find((one) => !drafted.some((pick) => pick.place === one)) as number;
    drafted.push({ place, team });
  }
  return drafted;
}

describe("a draft", () => {
  test("is the one of the paper's algorithm, over whole lists, although it sees only the best of each", () => {
    fc.assert(
      fc.property(drafts, ({ one, other = one, shown, key }) => {
        const coin = coinOf(key);
        const picks = teamDraft([best(one, shown), best(other, shown)], coin);
        expect(picks.map(({ place, team }) => ({ place, team }))).toEqual(
          byTheBook([one, other], shown, coin),
        );
      }),
    );
  });

  test("keeps each list's order within its team, names nothing twice, and never favours a team by more than one", () => {
    fc.assert(
      fc.property(drafts, ({ one, other = one, shown, key }) => {
        const picks = teamDraft([best(one, shown), best(other, shown)], coinOf(key));
        expect(new Set(picks.map(({ place }) => place)).size).toBe(shown);
        for (const [team, list] of [one, other].entries()) {
          const mine = picks.filter((pick) => pick.team === team);
          const ranks = mine.map(({ place }) => list.indexOf(place));
          expect(ranks).toEqual([...ranks].sort((a, b) => a - b));
          expect(mine.map(({ rank }) => rank)).toEqual(ranks);
          expect(Math.abs(mine.length - shown / 2)).toBeLessThanOrEqual(0.5);
        }
      }),
    );
  });

  test("of fewer is where the draft of more begins, so that pages do not change", () => {
    fc.assert(
      fc.property(drafts, fc.nat(), ({ one, other = one, shown, key }, fewer) => {
        const few = 1 + (fewer % shown);
        const draft = (count: number) => teamDraft([best(one, count), best(other, count)], coinOf(key));
        expect(draft(few)).toEqual(draft(shown).slice(0, few));
      }),
    );
  });

  test("has a competitive slot wherever the lists' next picks differ, and none where the lists are the same", () => {
    fc.assert(
      fc.property(drafts, ({ one, other = one, shown, key }) => {
        const picks = teamDraft([best(one, shown), best(other, shown)], coinOf(key));
        const taken = new Set<number>();
        for (const { place, competitive } of picks) {
          const next = [one, other].map((list) => list.find((each) => !taken.has(each)));
          expect(competitive).toBe(next[0] !== next[1]);
          taken.add(place);
        }
        const alike = teamDraft([best(one, shown), best(one, shown)], coinOf(key));
        expect(alike.map(({ place }) => place)).toEqual(one.slice(0, shown));
        expect(alike.filter(({ competitive }) => competitive)).toEqual([]);
      }),
    );
  });
});
