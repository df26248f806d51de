import { finishHash, murmur3 } from "../domain/murmur3.ts";

/** Whether the first of two lists picks first in a round, counted from 0. */
export type Coin = (round: number) => boolean;

/** One place of a drafted list. */
export interface Pick {
  /** The candidate's place. */
  readonly place: number;
  /** Which list it was picked from, and its place there, from 0. */
  readonly team: 0 | 1;
  readonly rank: number;
  /** Whether the other list would have picked another one. */
  readonly competitive: boolean;
}

/**
 * A fair coin a round, the same ones for the same key: the bits of a SplitMix generator (Steele, Lea, Flood, OOPSLA
 * 2014) of 32 bits that is seeded with the key's hash and mixes as MurmurHash3 finishes.
 */
export function coinOf(key: string): Coin {
  const seed = murmur3(key);
  return (round) => finishHash((seed + Math.imul(round + 1, 0x9e3779b9)) | 0, 0) < 2 ** 31;
}

/**
 * Team-draft interleaving (Radlinski, Kurup, Joachims, CIKM 2008, algorithm 2): in each round both lists pick the best
 * that they still have, and a coin says who picks first. So each list's own order stays, neither is favoured, and the
 * first picks are the same however many are asked for.
 * @param lists the best of the same candidates by two rankers, places without repeats, both as long as the draft.
 */
export function teamDraft(lists: readonly [Uint32Array, Uint32Array], coin: Coin): Pick[] {
  const picks: Pick[] = [];
  const taken = new Set<number>();
  const ranks: [number, number] = [0, 0];
  /** The best that a list still has; there always is one, since fewer are taken than it is long. */
  const nextOf = (team: 0 | 1): number => {
    const list = lists[team];
    while (taken.has(list[ranks[team]] as number)) ranks[team] += 1;
    return list[ranks[team]] as number;
  };
  let team: 0 | 1 = 0;
  for (let slot = 0; slot < lists[0].length; slot++) {
    if (slot % 2 === 0) team = coin(slot / 2) ? 0 : 1;
    else team = team === 0 ? 1 : 0;
    const wanted = [nextOf(0), nextOf(1)] as const;
    const place = wanted[team];
    picks.push({ place, team, rank: ranks[team], competitive: wanted[0] !== wanted[1] });
    taken.add(place);
  }
  return picks;
}
