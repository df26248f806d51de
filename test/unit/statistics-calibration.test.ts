/** Simulated experiments whose truth is known: how often do the methods say what is not so? Seeded, so exact. */
import { describe, expect, test } from "vitest";
import type { Random } from "../../src/domain/clock.ts";
import { randomStream } from "../../src/simulation/random-stream.ts";
import { alwaysValid } from "../../src/statistics/always-valid.ts";
import { cuped } from "../../src/statistics/cuped.ts";
import {
  type Answer,
  type Estimate,
  estimateOfMean,
  estimateOfRatio,
} from "../../src/statistics/estimate.ts";
import {
  type CrossMoments,
  crossMomentsOf,
  mergeMoments,
  momentsOf,
  noMoments,
} from "../../src/statistics/moments.ts";
import { difference } from "../../src/statistics/welch.ts";

const seed = "2026-11-22";

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

function draws<T>(count: number, draw: () => T): T[] {
  return Array.from({ length: count }, draw);
}

function pValueOf(treated: Answer<Estimate>, control: Answer<Estimate>): number {
  if (!treated.ok || !control.ok) return 1;
  const tested = difference(treated.value, control.value, 0.05);
  return tested.ok ? tested.value.pValue : 1;
}

/** Share of `runs` in which `pValue` falls below 5 %. */
function rejections(runs: number, name: string, pValue: (random: Random) => number): number {
  const random = randomStream(seed, name);
  return draws(runs, () => pValue(random)).filter((p) => p < 0.05).length / runs;
}

/** A/A: `draw` gives one unit's value; arms of `treated` and `control` units. */
function falsePositives(
  name: string,
  treated: number,
  control: number,
  draw: (random: Random) => number,
): number {
  return rejections(runs, name, (random) => {
    const arm = (units: number) => estimateOfMean(momentsOf(draws(units, () => draw(random))));
    return pValueOf(arm(treated), arm(control));
  });
}

const runs = 2_000;
/** 5 % of 2,000 runs, plus and minus three standard errors. */
const band = { low: 0.035, high: 0.065 };

function expectInBand(share: number): void {
  expect(share).toBeGreaterThan(band.low);
  expect(share).toBeLessThan(band.high);
}

describe("A/A experiments are found different in 5 % of the runs", () => {
  test("Gaussian values", () => {
    expectInBand(falsePositives("gaussian", 100, 100, normal));
  });

  test("50 units an arm", () => {
    expectInBand(falsePositives("few", 50, 50, normal));
  });

  test("a rare yes or no", () => {
    expectInBand(falsePositives("rare", 1_000, 1_000, (random) => Number(random.next() < 0.01)));
  });

  test("mostly zero, then lognormal", () => {
    expectInBand(
      falsePositives("skewed", 250, 250, (random) => (random.next() < 0.7 ? 0 : Math.exp(normal(random)))),
    );
  });

  test("a split of 90 to 10", () => {
    expectInBand(falsePositives("uneven", 30, 270, normal));
  });

  test("a ratio whose rows cluster in units, where a test on rows would be wrong in a third of the runs", () => {
    const arm = (random: Random): [views: number, clicks: number][] =>
      draws(100, () => {
        const taste = 0.4 * random.next();
        const views = 1 + Math.floor(60 * random.next() ** 2);
        return [views, draws(views, () => Number(random.next() < taste)).reduce((a, b) => a + b, 0)];
      });
    const ofRows = (rows: [number, number][]): CrossMoments =>
      crossMomentsOf(
        rows.flatMap(([views, clicks]) =>
          draws(views, () => 0).map((_, i) => [1, Number(i < clicks)] as [number, number]),
        ),
      );
    const perUnit = rejections(runs / 2, "ratio", (random) =>
      pValueOf(estimateOfRatio(crossMomentsOf(arm(random))), estimateOfRatio(crossMomentsOf(arm(random)))),
    );
    const perRow = rejections(200, "ratio", (random) =>
      pValueOf(estimateOfRatio(ofRows(arm(random))), estimateOfRatio(ofRows(arm(random)))),
    );
    expectInBand(perUnit);
    expect(perRow).toBeGreaterThan(0.2);
  });

  test("CUPED, a third of the units being new and given the mean", () => {
    const share = rejections(runs, "cuped", (random) => {
      const arm = () =>
        crossMomentsOf(
          draws(200, (): [number, number] => {
            const before = normal(random);
            return [random.next() < 0.33 ? 0 : before, 0.8 * before + 0.6 * normal(random)];
          }),
        );
      const adjusted = cuped([arm(), arm()]);
      if (!adjusted.ok) return 1;
      const [treated, control] = adjusted.value.arms;
      return treated && control ? pValueOf({ ok: true, value: treated }, { ok: true, value: control }) : 1;
    });
    expectInBand(share);
  });
});

describe("a real difference is found", () => {
  test("of a quarter of the spread, with 251 units an arm, in the 80 % of runs that such a sample is planned for", () => {
    const found = rejections(runs, "power", (random) => {
      const arm = (effect: number) => estimateOfMean(momentsOf(draws(251, () => normal(random) + effect)));
      return pValueOf(arm(0.25), arm(0));
    });
    expect(found).toBeGreaterThan(0.8 - 0.027);
    expect(found).toBeLessThan(0.8 + 0.027);
  });

  test("and with CUPED in nearly all of them, the covariate explaining two thirds of the variance", () => {
    const found = rejections(500, "cuped-power", (random) => {
      const arm = (effect: number) =>
        crossMomentsOf(
          draws(251, (): [number, number] => {
            const before = normal(random);
            return [before, Math.sqrt(2 / 3) * before + Math.sqrt(1 / 3) * normal(random) + effect];
          }),
        );
      const adjusted = cuped([arm(0.25), arm(0)]);
      if (!adjusted.ok) return 1;
      const [treated, control] = adjusted.value.arms;
      return treated && control ? pValueOf({ ok: true, value: treated }, { ok: true, value: control }) : 1;
    });
    expect(found).toBeGreaterThan(0.98);
  });
});

describe("looking after every hundred units of 10,000", () => {
  const looks = 100;
  const alpha = 0.1;

  function missed(random: Random): { once: boolean; always: boolean } {
    let treated = noMoments;
    let control = noMoments;
    const missed = { once: false, always: false };
    for (let look = 0; look < looks; look++) {
      treated = mergeMoments(treated, momentsOf(draws(50, () => normal(random))));
      control = mergeMoments(control, momentsOf(draws(50, () => normal(random))));
      const [a, b] = [estimateOfMean(treated), estimateOfMean(control)];
      if (!a.ok || !b.ok) continue;
      const tested = difference(a.value, b.value, alpha);
      if (!tested.ok) continue;
      const always = alwaysValid(tested.value, treated.count + control.count, alpha);
      missed.once ||= tested.value.pValue < alpha;
      missed.always ||= always.ciLow > 0 || always.ciHigh < 0;
    }
    return missed;
  }

  test("the always-valid interval misses at any look in fewer than 10 % of the runs, the other in half of them", () => {
    const random = randomStream(seed, "peeking");
    const seen = draws(300, () => missed(random));
    const always = seen.filter((run) => run.always).length;
    // One-sided 99 % bound of a share of 300 runs.
    const share = always / seen.length;
    expect(share + 2.33 * Math.sqrt((share * (1 - share)) / seen.length)).toBeLessThan(alpha);
    expect(always).toBeGreaterThan(0);
    expect(seen.filter((run) => run.once).length / seen.length).toBeGreaterThan(0.4);
  });
});
