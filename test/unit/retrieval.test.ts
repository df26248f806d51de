import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomStream } from "../../src/simulation/random-stream.ts";
import { createRetrieval } from "../../src/simulation/retrieval.ts";
import { smallWorld } from "../support/small-world.ts";

const world = smallWorld(20, 2_000);
const retrieval = createRetrieval(world);
const counts = { min: 100, max: 200 };

describe("candidates of a visit", () => {
  it("are distinct tracks of the world, as many as asked for", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 19 }), fc.string(), (listener, name) => {
        const rows = retrieval.candidates(listener, randomStream(name), counts);
        expect(new Set(rows).size).toBe(rows.length);
        expect(rows.length).toBeGreaterThanOrEqual(counts.min);
        expect(rows.length).toBeLessThanOrEqual(counts.max);
        expect(rows.every((row) => world.tracks[row] !== undefined)).toBe(true);
      }),
    );
  });

  it("repeat themselves for the same stream", () => {
    const draw = () => createRetrieval(world).candidates(3, randomStream("same"), counts);
    expect(draw()).toEqual(draw());
  });

  it("lean to the listener's history, to popular tracks and to new releases", () => {
    const rows = [...Array(50).keys()].flatMap((visit) =>
      retrieval.candidates(19, randomStream("lean", visit), counts),
    );
    const share = (is: (row: number) => boolean) => rows.filter(is).length / rows.length;
    // The history of listener 19 is around track 134; of the 500 tracks that its search sees 100 are its pool.
    const nearHistory = (row: number) => Math.abs(row - 134) <= 200;
    expect(share(nearHistory)).toBeGreaterThan(2 * (400 / 2_000));
    expect(share((row) => row < 400)).toBeGreaterThan(2 * (400 / 2_000));
    expect(share((row) => world.tracks[row]?.ageDays === 3)).toBeGreaterThan(0.15);
  });

  it("come without a history too", () => {
    const rows = retrieval.candidates(0, randomStream("new listener"), counts);
    expect(rows.length).toBeGreaterThanOrEqual(counts.min);
  });

  it("are the whole catalogue where it is small", () => {
    const tiny = smallWorld(5, 30);
    const rows = createRetrieval(tiny).candidates(2, randomStream("tiny"), counts);
    expect(rows.toSorted((a, b) => a - b)).toEqual([...Array(30).keys()]);
  });
});
