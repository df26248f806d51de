/**
 * The stage before the ranker: a hundred or two tracks out of the whole catalogue, from four sources as real
 * retrieval mixes them. It knows what a retrieval stage would know (history, content, plays), never the truth.
 */
import type { Random } from "../domain/clock.ts";
import { drawBelow } from "./random-stream.ts";
import { newReleaseAgeDaysMax, type World } from "./world.ts";

/** How many candidates a visit asks for, drawn evenly between the two. */
export interface CandidateCounts {
  readonly min: number;
  readonly max: number;
}

export interface Retrieval {
  /** Rows of distinct tracks, in no telling order. */
  candidates(listener: number, random: Random, counts: CandidateCounts): number[];
}

/** Shares of the sources; what duplicates and short sources leave open is filled at random. */
const shares = { near: 0.35, popular: 0.25, fresh: 0.1 };
const poolOfPopular = 400;
const poolOfNear = 100;
const seenOf = 4;

/** Prepares the sources that all listeners share; a listener's own is made on the first visit and kept. */
export function createRetrieval(world: World): Retrieval {
  const { tracks } = world;
  const rows = tracks.map((_, row) => row);
  const plays = (row: number) => tracks[row]?.playsWeek ?? 0;
  const popular = rows.toSorted((a, b) => plays(b) - plays(a)).slice(0, poolOfPopular);
  const fresh = rows.filter((row) => (tracks[row]?.ageDays ?? 0) <= newReleaseAgeDaysMax);
  const content = unitRows(world);
  const nearOf = new Map<number, readonly number[]>();

  function poolOf(listener: number): readonly number[] {
    let pool = nearOf.get(listener);
    if (pool === undefined) {
      pool = near(content, listener, world.listeners[listener]?.history ?? []);
      nearOf.set(listener, pool);
    }
    return pool;
  }

  return {
    candidates(listener, random, counts) {
      const wanted = counts.min + drawBelow(random, counts.max - counts.min + 1);
      const count = Math.min(wanted, tracks.length);
      const chosen = new Set<number>();
      draw(poolOf(listener), Math.round(count * shares.near), random, chosen);
      draw(popular, Math.round(count * shares.popular), random, chosen);
      draw(fresh, Math.round(count * shares.fresh), random, chosen);
      while (chosen.size < count) chosen.add(drawBelow(random, tracks.length));
      return shuffled([...chosen], random);
    },
  };
}

/** `times` draws with replacement: a duplicate only leaves room for chance. */
function draw(pool: readonly number[], times: number, random: Random, into: Set<number>): void {
  for (let i = 0; i < times; i++) {
    const row = pool[drawBelow(random, pool.length)];
    if (row !== undefined) into.add(row);
  }
}

/** Fisher and Yates, so that the order of the request says nothing about the source. */
function shuffled(rows: number[], random: Random): number[] {
  for (let i = rows.length - 1; i > 0; i--) {
    const j = drawBelow(random, i + 1);
    [rows[i], rows[j]] = [rows[j] as number, rows[i] as number];
  }
  return rows;
}

/**
 * Rows of about `poolOfNear` tracks whose content is near (cosine) to the mean of the history; none without a history.
 * As with an approximate index, it is not the nearest of all: each listener's search sees one track in `seenOf`, which
 * takes a quarter of the time (0.4 ms) that would otherwise be the server's.
 */
function near(content: UnitRows, listener: number, history: readonly number[]): readonly number[] {
  if (history.length === 0) return [];
  const { width, values } = content;
  const mean = new Float32Array(width);
  for (const row of history) {
    for (let c = 0; c < width; c++) mean[c] = (mean[c] as number) + (values[row * width + c] as number);
  }
  const count = values.length / width;
  const seen: { row: number; similarity: number }[] = [];
  for (let row = listener % seenOf; row < count; row += seenOf) {
    let similarity = 0;
    for (let c = 0, at = row * width; c < width; c++, at++) {
      similarity += (values[at] as number) * (mean[c] as number);
    }
    seen.push({ row, similarity });
  }
  // The least that still belongs is read off every eighth: about as many rows, without sorting all of them.
  const sample = Float64Array.from(
    { length: Math.ceil(seen.length / 8) },
    (_, i) => seen[i * 8]?.similarity ?? 0,
  );
  const least = sample.sort()[Math.floor(sample.length * Math.max(0, 1 - poolOfNear / seen.length))] ?? 0;
  return seen.filter(({ similarity }) => similarity >= least).map(({ row }) => row);
}

/** `values` is `[tracks, width] float32`, each row of length 1. */
interface UnitRows {
  readonly width: number;
  readonly values: Float32Array;
}

function unitRows({ tracks }: World): UnitRows {
  const width = tracks[0]?.content.length ?? 0;
  const values = new Float32Array(tracks.length * width);
  for (const [row, { content }] of tracks.entries()) {
    const length = Math.hypot(...content) || 1;
    for (let c = 0; c < width; c++) values[row * width + c] = (content[c] ?? 0) / length;
  }
  return { width, values };
}
