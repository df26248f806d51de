import cdf from "@stdlib/stats-base-dists-chisquare-cdf";
import { Bucket, UnitKey } from "../../src/experiments/bucket.ts";

const idsPerAlphabet = 1_000_000;

/** How ids are made in the wild; each makes a million that differ. */
export const alphabets: readonly { readonly name: string; readonly idOf: (i: number) => string }[] = [
  { name: "sequential numbers", idOf: (i) => String(i) },
  { name: "the demo's listeners, `u1`", idOf: (i) => `u${i}` },
  { name: "hexadecimal, padded to 32", idOf: (i) => i.toString(16).padStart(32, "0") },
  { name: "e-mail addresses", idOf: (i) => `person.${i.toString(36)}@example.org` },
  { name: "Japanese", idOf: (i) => `利用者${i}` },
];

const salts = ["layer:home-ranker", "home-kd", "a"];
const cells = [2, 100, 10_000];
const pairs: readonly (readonly [string, string])[] = [
  ["layer:home-ranker", "home-kd"],
  ["layer:home-ranker", "layer:radio-ranker"],
  ["holdout:everyone", "layer:home-ranker"],
  ["holdout:everyone", "home-kd"],
  ["exp-1", "exp-2"],
];
const pairCells = 20;

/** P values of chi-square tests: by salt and number of cells, and of pairs of salts over 20 x 20 cells. */
export interface PlaceFigures {
  readonly uniform: readonly { readonly salt: string; readonly cells: number; readonly p: number }[];
  readonly independent: readonly { readonly pair: string; readonly p: number }[];
  /** Of a million ids, those whose place in the layer lies in [0, 0.0001). */
  readonly oneInTenThousand: number;
}

/** The same figures in every run: the ids are. */
export function placeFigures(idOf: (i: number) => string): PlaceFigures {
  const names = [...new Set([...salts, ...pairs.flat()])];
  const buckets = names.map((salt) => new Bucket(salt));
  const places = new Float64Array(names.length);
  const uniform = salts.flatMap((salt) =>
    cells.map((count) => ({ salt, at: names.indexOf(salt), counts: new Float64Array(count) })),
  );
  const independent = pairs.map(([one, other]) => ({
    pair: `${one}, ${other}`,
    at: [names.indexOf(one), names.indexOf(other)] as const,
    counts: new Float64Array(pairCells ** 2),
  }));
  const cellOf = (at: number, count: number): number => Math.floor((places[at] as number) * count);
  for (let i = 0; i < idsPerAlphabet; i++) {
    const unit = new UnitKey(idOf(i));
    for (let at = 0; at < names.length; at++) places[at] = (buckets[at] as Bucket).placeOf(unit);
    for (const { at, counts } of uniform) bump(counts, cellOf(at, counts.length));
    for (const { at, counts } of independent) {
      bump(counts, cellOf(at[0], pairCells) * pairCells + cellOf(at[1], pairCells));
    }
  }
  return {
    uniform: uniform.map(({ salt, counts }) => ({ salt, cells: counts.length, p: chiSquareP(counts) })),
    independent: independent.map(({ pair, counts }) => ({ pair, p: chiSquareP(counts) })),
    oneInTenThousand: uniform.find(({ counts }) => counts.length === 10_000)?.counts[0] as number,
  };
}

/** @param shares what is expected of the counts; equal parts where undefined. */
export function chiSquareP(counts: ArrayLike<number>, shares?: readonly number[]): number {
  const all = Array.from(counts);
  const total = all.reduce((sum, count) => sum + count, 0);
  const statistic = all.reduce((sum, count, i) => {
    const expected = total * (shares?.[i] ?? 1 / all.length);
    return sum + (count - expected) ** 2 / expected;
  }, 0);
  return 1 - cdf(statistic, all.length - 1);
}

function bump(counts: Float64Array, cell: number): void {
  counts[cell] = (counts[cell] as number) + 1;
}
