import type { Truth, World } from "../../src/simulation/world.ts";

/**
 * A world of `listeners` and `tracks` without files: contents lie on a circle, every tenth track is a new release,
 * the first listener has no history and each later one has heard three neighbouring tracks.
 */
export function smallWorld(listeners = 20, tracks = 400): World {
  return {
    listeners: Array.from({ length: listeners }, (_, i) => ({
      id: `u${i + 1}`,
      activity: i + 1,
      history: i === 0 ? [] : [0, 1, 2].map((step) => (i * 7 + step) % tracks),
      country: "DE",
      device: "phone",
    })),
    tracks: Array.from({ length: tracks }, (_, i) => {
      const angle = (2 * Math.PI * i) / tracks;
      return {
        id: `t${i + 1}`,
        content: [Math.cos(angle), Math.sin(angle)],
        playsWeek: tracks - i,
        ageDays: i % 10 === 9 ? 3 : 300,
      };
    }),
    seedFeatures: (surface, seedTrack) => (surface === "radio" ? { seed_track: `t${seedTrack + 1}` } : {}),
  };
}

/** A truth that answers every item with the same three probabilities. */
export function constantTruth(first: number, second: number, third: number): Truth {
  return ({ tracks }) => Promise.resolve(Float32Array.from(tracks.flatMap(() => [first, second, third])));
}
