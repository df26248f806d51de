/** Who comes when, to which surface, and what the frontend asks the server on their behalf. */
import type { Random } from "../domain/clock.ts";
import { drawBelow, randomStream } from "./random-stream.ts";
import type { CandidateCounts, Retrieval } from "./retrieval.ts";
import type { Surface, World } from "./world.ts";

/** One visit, before anything is asked. `random` is its own stream: no other visit's draws change it. */
export interface Visit {
  /** From 0, in the order of the plan. */
  readonly number: number;
  readonly listener: number;
  readonly surface: Surface;
  readonly random: Random;
}

/** What a rank request needs; rows, not ids. `seedTrack` is -1 at home. */
export interface Asked {
  readonly candidates: readonly number[];
  readonly seedTrack: number;
}

export interface VisitPlan {
  next(): Visit;
}

/** Of ten visits six go to home: the mix of the logs that the models were trained on. */
const homeShare = 0.6;

/**
 * The endless plan of visits of the first `listeners` listeners, busy ones more often. Equal seeds give equal plans,
 * and a visit's stream hangs on (seed, listener, how often the listener came before), so that what runs at the
 * same time changes nothing.
 */
export function planVisits(world: World, seed: number, listeners: number): VisitPlan {
  const random = randomStream(seed, "plan");
  const cumulative = cumulativeActivity(world, listeners);
  const total = cumulative.at(-1) ?? 0;
  const visitsOf = new Uint32Array(cumulative.length);
  let number = 0;
  return {
    next() {
      const listener = firstAbove(cumulative, random.next() * total);
      const surface: Surface = random.next() < homeShare ? "home" : "radio";
      const visit = visitsOf[listener] ?? 0;
      visitsOf[listener] = visit + 1;
      return { number: number++, listener, surface, random: randomStream(seed, listener, visit) };
    },
  };
}

/** Draws the candidates and, for the radio, the track that it starts from: one of the history, or any older one. */
export function ask(world: World, retrieval: Retrieval, visit: Visit, counts: CandidateCounts): Asked {
  const seedTrack = visit.surface === "radio" ? drawSeedTrack(world, visit) : -1;
  return { candidates: retrieval.candidates(visit.listener, visit.random, counts), seedTrack };
}

/** The body of `POST /v1/rank`. */
export function rankBody(world: World, visit: Visit, asked: Asked, requestId: string, limit: number): object {
  const listener = world.listeners[visit.listener];
  return {
    requestId,
    surface: visit.surface,
    user: { id: listener?.id, attributes: { country: listener?.country } },
    context: {
      attributes: { device: listener?.device },
      features: world.seedFeatures(visit.surface, asked.seedTrack),
    },
    candidateIds: asked.candidates.map((row) => world.tracks[row]?.id),
    limit,
  };
}

function drawSeedTrack(world: World, { listener, random }: Visit): number {
  const history = world.listeners[listener]?.history ?? [];
  return history[drawBelow(random, history.length)] ?? drawBelow(random, world.tracks.length);
}

function cumulativeActivity(world: World, listeners: number): Float64Array {
  const cumulative = new Float64Array(Math.min(listeners, world.listeners.length));
  let total = 0;
  for (let i = 0; i < cumulative.length; i++) {
    total += world.listeners[i]?.activity ?? 0;
    cumulative[i] = total;
  }
  return cumulative;
}

/** The first place whose value is above `value`; binary search. */
function firstAbove(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
