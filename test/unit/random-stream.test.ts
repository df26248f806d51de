import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { drawBelow, randomStream, xoshiro128plusplus } from "../../src/simulation/random-stream.ts";

describe("xoshiro128++", () => {
  it("gives the numbers of the reference implementation", () => {
    const next = xoshiro128plusplus([1, 2, 3, 4]);
    // The vector of rand_xoshiro's tests, from the reference in C.
    expect(Array.from({ length: 10 }, next)).toEqual([
      641, 1573767, 3222811527, 3517856514, 836907274, 4247214768, 3867114732, 1355841295, 495546011,
      621204420,
    ]);
  });

  it("still agrees after 102,400 steps", () => {
    const next = xoshiro128plusplus([1, 2, 3, 4]);
    for (let i = 0; i < 102_400; i++) next();
    // php-src, ext/random/tests/02_engine/user_xoshiro128plusplus.phpt: the bytes fa3c872c, least first.
    expect(next()).toBe(0x2c873cfa);
  });

  it("leaves the one state that would repeat itself for ever", () => {
    const next = xoshiro128plusplus([0, 0, 0, 0]);
    expect(new Set(Array.from({ length: 100 }, next)).size).toBeGreaterThan(50);
  });
});

describe("a random stream", () => {
  it("repeats itself for equal names and differs for others", () => {
    const first = (...name: (string | number)[]) => randomStream(...name).next();
    expect(first(1, 2, 3)).toBe(first(1, 2, 3));
    const names = Array.from({ length: 1_000 }, (_, i) => first(1, i, 0));
    expect(new Set(names).size).toBe(1_000);
  });

  it("does not notice other streams that draw in between", () => {
    const alone = randomStream("a");
    const expected = [alone.next(), alone.next(), alone.next()];
    const disturbed = randomStream("a");
    const other = randomStream("b");
    const drawn = [0, 1, 2].map(() => {
      other.next();
      return disturbed.next();
    });
    expect(drawn).toEqual(expected);
  });

  it("is uniform in [0, 1): a chi-square over 20 cells", () => {
    const random = randomStream("uniform");
    const cells = new Array<number>(20).fill(0);
    const draws = 100_000;
    for (let i = 0; i < draws; i++) {
      const cell = Math.floor(random.next() * cells.length);
      cells[cell] = (cells[cell] ?? 0) + 1;
    }
    const expected = draws / cells.length;
    const statistic = cells.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // The 0.999 quantile of chi-square with 19 degrees of freedom.
    expect(statistic).toBeLessThan(43.82);
  });

  it("draws every whole number below a count and none else", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.string(), (count, name) => {
        const random = randomStream(name);
        const seen = new Set(Array.from({ length: 400 }, () => drawBelow(random, count)));
        expect([...seen].toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
      }),
    );
  });
});
