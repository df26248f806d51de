import { describe, expect, it } from "vitest";
import { createRetrieval } from "../../src/simulation/retrieval.ts";
import { ask, planVisits, rankBody } from "../../src/simulation/visit.ts";
import { smallWorld } from "../support/small-world.ts";

const world = smallWorld(20);

function visits(seed: number, count: number, listeners = 20) {
  const plan = planVisits(world, seed, listeners);
  return Array.from({ length: count }, () => plan.next());
}

describe("the plan of visits", () => {
  it("is the same for the same seed and another for another", () => {
    const who = (seed: number) => visits(seed, 50).map(({ listener, surface }) => `${listener} ${surface}`);
    expect(who(1)).toEqual(who(1));
    expect(who(1)).not.toEqual(who(2));
  });

  it("brings busy listeners more often, in proportion", () => {
    const counts = new Array<number>(20).fill(0);
    for (const { listener } of visits(3, 21_000)) counts[listener] = (counts[listener] ?? 0) + 1;
    // Activity is 1 to 20, 210 in all: 100 visits for the first, 2,000 for the last; five standard errors are 50 and 213.
    expect(Math.abs((counts[0] ?? 0) - 100)).toBeLessThan(50);
    expect(Math.abs((counts[19] ?? 0) - 2_000)).toBeLessThan(213);
  });

  it("keeps to the first listeners where fewer are asked for", () => {
    expect(new Set(visits(1, 2_000, 3).map(({ listener }) => listener))).toEqual(new Set([0, 1, 2]));
  });

  it("goes to home six times of ten", () => {
    const home = visits(4, 10_000).filter(({ surface }) => surface === "home").length;
    expect(Math.abs(home - 6_000)).toBeLessThan(250);
  });

  it("gives a listener's n-th visit the same draws, however many others come between", () => {
    const drawsOf = (listeners: number) =>
      visits(5, 4_000, listeners)
        .filter(({ listener }) => listener === 2)
        .slice(0, 10)
        .map(({ random }) => random.next());
    expect(drawsOf(3)).toEqual(drawsOf(20));
    expect(new Set(drawsOf(20)).size).toBe(10);
  });
});

describe("what a frontend asks", () => {
  const retrieval = createRetrieval(world);
  const counts = { min: 20, max: 30 };

  it("names the radio's seed track, one that the listener has heard, in the context", () => {
    const visit = visits(6, 500).find(({ surface, listener }) => surface === "radio" && listener > 0);
    if (visit === undefined) throw new Error("expected a radio visit among 500");
    const asked = ask(world, retrieval, visit, counts);
    expect(world.listeners[visit.listener]?.history).toContain(asked.seedTrack);
    expect(rankBody(world, visit, asked, "r1", 10)).toMatchObject({
      requestId: "r1",
      surface: "radio",
      user: { id: `u${visit.listener + 1}`, attributes: { country: "DE" } },
      context: { attributes: { device: "phone" }, features: { seed_track: `t${asked.seedTrack + 1}` } },
      limit: 10,
    });
  });

  it("starts no radio at home", () => {
    const visit = visits(7, 500).find(({ surface }) => surface === "home");
    if (visit === undefined) throw new Error("expected a home visit among 500");
    const asked = ask(world, retrieval, visit, counts);
    expect(asked.seedTrack).toBe(-1);
    expect(rankBody(world, visit, asked, "r1", 10)).toMatchObject({
      surface: "home",
      context: { features: {} },
      candidateIds: asked.candidates.map((row) => `t${row + 1}`),
    });
  });
});
