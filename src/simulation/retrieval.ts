/**
 * The stage before the ranker: a hundred or two tracks out of the whole catalogue, from four sources as real
 * retrieval mixes them. It knows what a retrieval stage would know (history, content, plays), never the truth.
 */
import type { Random } from "../domain/ports.ts";
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
const poolOfNear = 300;

/** Prepares the sources that all listeners share; a listener's own is made on the first visit and kept. */
export function createRetrieval(world: World): Retrieval {
  const { tracks } = world;
  const rows = tracks.map((_, row) => row);
  const plays = (row: number) => tracks[row]?.playsWeek ?? 0;
  const popular = rows.toSorted((a, b) => plays(b) - plays(a)).slice(0, poolOfPopular);
  const fresh = rows.filter((row) => (tracks[row]?.ageDays ?? 0) <= newReleaseAgeDaysMax);
  const content = unitRows(world);
  const nearOf = new Map<number, readonly number[]>();

  function near(listener: number): readonly number[] {
    let pool = nearOf.get(listener);
    if (pool === undefined) {
      pool = nearest(content, world.listeners[listener]?.history ?? []);
      nearOf.set(listener, pool);
    }
    return pool;
  }

  return {
    candidates(listener, random, counts) {
      const wanted = counts.min + drawBelow(random, counts.max - counts.min + 1);
      const count = Math.min(wanted, tracks.length);
      const chosen = new Set<number>();
      draw(near(listener), Math.round(count * shares.near), random, chosen);
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

/** Rows of the tracks whose content is nearest (cosine) to the mean of the history; none without a history. */
function nearest(content: UnitRows, history: readonly number[]): readonly number[] {
  if (history.length === 0) return [];
  const { width, values } = content;
  const mean = new Float64Array(width);
  for (const row of history) {
    for (let c = 0; c < width; c++) mean[c] = (mean[c] ?? 0) + (values[row * width + c] ?? 0);
  }
  const similarity = new Float64Array(values.length / width);
  for (let row = 0; row < similarity.length; row++) {
    let dot = 0;
    for (let c = 0; c < width; c++) dot += (values[row * width + c] ?? 0) * (mean[c] ?? 0);
    similarity[row] = dot;
  }
  const rows = Array.from(similarity, (_, row) => row);
  return rows.sort((a, b) => (similarity[b] ?? 0) - (similarity[a] ?? 0)).slice(0, poolOfNear);
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
