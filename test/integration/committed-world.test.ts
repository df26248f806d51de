import { afterAll, describe, expect, it } from "vitest";
import { randomStream } from "../../src/simulation/random-stream.ts";
import { createRetrieval } from "../../src/simulation/retrieval.ts";
import { loadTruth } from "../../src/simulation/truth-model.ts";
import { readWorld } from "../../src/simulation/world-files.ts";

const { world, truthFile } = await readWorld("models/world");
const { truth, close } = await loadTruth(truthFile);
afterAll(close);

const at = { surface: "home", listener: 0, seedTrack: -1 } as const;
const firsts = (probabilities: Float32Array) => Array.from(probabilities).filter((_, i) => i % 3 === 0);

describe("the committed world", () => {
  it("has at least 5,000 listeners u1, u2, … and 5,000 tracks t1, t2, …", () => {
    expect(world.listeners.length).toBeGreaterThanOrEqual(5_000);
    expect(world.tracks.length).toBeGreaterThanOrEqual(5_000);
    expect(world.listeners.every(({ id }, row) => id === `u${row + 1}`)).toBe(true);
    expect(world.tracks.every(({ id }, row) => id === `t${row + 1}`)).toBe(true);
  });

  it("says what a frontend sends with a radio, from the seed track's own row", () => {
    const features = world.seedFeatures("radio", 41);
    expect(features).toMatchObject({ seed_track: "t42", seed_content: world.tracks[41]?.content });
    expect(world.seedFeatures("home", -1)).toEqual({});
  });

  it("has candidates to offer", () => {
    const retrieval = createRetrieval(world);
    const random = randomStream("committed world");
    const rows = retrieval.candidates(17, random, { min: 100, max: 100 });
    expect(new Set(rows).size).toBe(100);
  });
});

describe("the committed truth", () => {
  it("gives probabilities", async () => {
    const tracks = [...Array(500).keys()];
    for (const surface of ["home", "radio"] as const) {
      const probabilities = await truth({
        surface,
        listener: 3,
        tracks,
        seedTrack: surface === "radio" ? 9 : -1,
      });
      expect(probabilities).toHaveLength(1_500);
      expect(probabilities.every((p) => p > 0 && p < 1)).toBe(true);
    }
  });

  it("tells tracks apart, listeners apart, and a radio's seeds apart", async () => {
    const byTrack = await truth({ ...at, tracks: [10, 11] });
    // The same two tracks the other way round: what differs is not the position alone.
    const turned = await truth({ ...at, tracks: [11, 10] });
    expect(byTrack[1]).not.toBeCloseTo(turned[1] ?? 0, 4);
    const byListener = await truth({ ...at, listener: 1, tracks: [10, 11] });
    expect(byListener[1]).not.toBeCloseTo(byTrack[1] ?? 0, 4);
    const radio = (seedTrack: number) => truth({ ...at, surface: "radio", seedTrack, tracks: [10] });
    expect((await radio(5))[0]).not.toBeCloseTo((await radio(6))[0] ?? 0, 4);
  });

  it("has position bias: the same track is clicked less the lower it stands", async () => {
    const clicks = firsts(await truth({ ...at, tracks: Array<number>(10).fill(25) }));
    expect(clicks).toEqual(clicks.toSorted((a, b) => b - a));
    expect(clicks[9]).toBeLessThan((clicks[0] ?? 0) * 0.7);
  });
});
