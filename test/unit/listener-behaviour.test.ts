import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Act, drawActs } from "../../src/simulation/behaviour.ts";
import { randomStream } from "../../src/simulation/random-stream.ts";

const probability = fc.float({ min: 0, max: 1, noNaN: true });
const triples = fc.array(fc.tuple(probability, probability, probability), { minLength: 1, maxLength: 20 });

/** Shares of items with each act, over many draws of the same probabilities. */
function shares(surface: "home" | "radio", triple: readonly number[], items = 40_000): Map<string, number> {
  const probabilities = Float32Array.from({ length: items * 3 }, (_, i) => triple[i % 3] ?? 0);
  const counts = new Map<string, number>();
  for (const { type } of drawActs(surface, probabilities, randomStream("shares"))) {
    counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  return new Map([...counts].map(([type, count]) => [type, count / items]));
}

function typesAt(acts: readonly Act[], place: number): string[] {
  return acts.filter((act) => act.place === place).map(({ type }) => type);
}

describe("a listener at home", () => {
  it("clicks, completes and likes as often as the truth says", () => {
    const found = shares("home", [0.3, 0.6, 0.25]);
    // Four standard errors of a share over 40,000 items are at most 0.01.
    expect(Math.abs((found.get("click") ?? 0) - 0.3)).toBeLessThan(0.01);
    expect(Math.abs((found.get("completion") ?? 0) - 0.3 * 0.6)).toBeLessThan(0.01);
    expect(Math.abs((found.get("like") ?? 0) - 0.3 * 0.6 * 0.25)).toBeLessThan(0.01);
    expect(found.has("skip")).toBe(false);
  });

  it("completes only what was clicked and likes only what was completed", () => {
    const lawful = [[], ["click"], ["click", "completion"], ["click", "completion", "like"]];
    fc.assert(
      fc.property(triples, fc.string(), (truth, name) => {
        const acts = drawActs("home", Float32Array.from(truth.flat()), randomStream(name));
        for (const place of truth.keys()) expect(lawful).toContainEqual(typesAt(acts, place));
      }),
    );
  });
});

describe("a listener of a radio", () => {
  it("hears out and skips as often as the truth says, and some tracks neither", () => {
    const found = shares("radio", [0.5, 0.3, 0.2]);
    expect(Math.abs((found.get("completion") ?? 0) - 0.5)).toBeLessThan(0.01);
    expect(Math.abs((found.get("skip") ?? 0) - 0.3)).toBeLessThan(0.01);
    expect(Math.abs((found.get("like") ?? 0) - 0.5 * 0.2)).toBeLessThan(0.01);
    expect(found.has("click")).toBe(false);
  });

  it("never both hears a track out and skips it", () => {
    const lawful = [[], ["skip"], ["completion"], ["completion", "like"]];
    fc.assert(
      fc.property(triples, fc.string(), (truth, name) => {
        const acts = drawActs("radio", Float32Array.from(truth.flat()), randomStream(name));
        for (const place of truth.keys()) expect(lawful).toContainEqual(typesAt(acts, place));
      }),
    );
  });
});

describe("what a listener does with one item", () => {
  it("does not depend on what the items above it are", () => {
    fc.assert(
      fc.property(triples, triples, fc.string(), (one, other, name) => {
        const length = Math.min(one.length, other.length);
        const last = [0.5, 0.5, 0.5];
        const actsBelow = (truth: readonly (readonly number[])[]) =>
          typesAt(
            drawActs("home", Float32Array.from([...truth.slice(0, length), last].flat()), randomStream(name)),
            length,
          );
        expect(actsBelow(one)).toEqual(actsBelow(other));
      }),
    );
  });

  it("is certain where the truth is certain", () => {
    const sure = Float32Array.from([1, 1, 1, 0, 1, 1]);
    expect(drawActs("home", sure, randomStream("sure")).map(({ place, type }) => `${place} ${type}`)).toEqual(
      ["0 click", "0 completion", "0 like"],
    );
  });
});
