import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { murmur3 } from "../../src/domain/murmur3.ts";
import { coinOf, teamDraft } from "../../src/ranking/interleave.ts";

const places = Array.from({ length: 20 }, (_, place) => place);
const rising = Uint32Array.from(places);
const falling = Uint32Array.from(places.toReversed());

/** The interleavings of so many requests of one experiment, by one listener or by many. */
const coins = Array.from({ length: 1_000 }, (_, i) => [
  coinOf(`interleave:home-il:u1:request-${i}`),
  coinOf(`interleave:home-il:u${i}:page`),
]).flat();

test.each([0, 1, 5])("over 1,000 drafts each list picks first in half of the rounds %i", (round) => {
  const drafts = coins.map((coin) => teamDraft([rising, falling], coin));
  for (const half of [0, 1]) {
    const mine = drafts.filter((_, i) => i % 2 === half);
    const first = mine.filter((picks) => picks[2 * round]?.team === 0).length;
    expect(first / mine.length).toBeGreaterThan(0.45);
    expect(first / mine.length).toBeLessThan(0.55);
  }
});

test("one round's coin says nothing of the next one's", () => {
  const alike = coins.filter((coin) => coin(0) === coin(1)).length;
  expect(alike / coins.length).toBeGreaterThan(0.45);
  expect(alike / coins.length).toBeLessThan(0.55);
});

test("identical rankers win equally often, wherever their listeners click", () => {
  let wins = 0;
  let losses = 0;
  for (const [i, coin] of coins.entries()) {
    const picks = teamDraft([rising, rising], coin);
    // As listeners do, most often at the top, and once or twice.
    const clicks = [murmur3(`a${i}`) % 3, murmur3(`b${i}`) % 20];
    const credit = clicks.map((slot) => (picks[slot]?.team === 0 ? 1 : -1)).reduce((a, b) => a + b, 0);
    if (credit > 0) wins += 1;
    if (credit < 0) losses += 1;
  }
  expect(wins + losses).toBeGreaterThan(500);
  // Four standard errors of a fair coin.
  expect(Math.abs(wins / (wins + losses) - 0.5)).toBeLessThan(2 / Math.sqrt(wins + losses));
});

test("the page's vectors are the code's coins", () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/interleaving.md"), "utf8");
  const rows = [...page.matchAll(/^\| `([^`]+)` \| `([^`]+)` \| `([^`]+)` \| (\d+) \| `([01]+)` \|$/gm)];
  expect(rows.length).toBeGreaterThanOrEqual(4);
  for (const [, salt, unit, id, seed, bits] of rows) {
    const key = `interleave:${salt}:${unit}:${id}`;
    expect(String(murmur3(key))).toBe(seed);
    const coin = coinOf(key);
    expect(Array.from(bits as string, (_, round) => Number(coin(round))).join("")).toBe(bits);
  }
});
