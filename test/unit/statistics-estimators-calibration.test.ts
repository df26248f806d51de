/** Simulated experiments whose truth is known: how often do the estimators say what is not so? Seeded, so exact. */
import { describe, expect, test } from "vitest";
import type { Random } from "../../src/domain/clock.ts";
import { randomStream } from "../../src/simulation/random-stream.ts";
import { adjustedArms } from "../../src/statistics/adjusted.ts";
import { alwaysValid } from "../../src/statistics/always-valid.ts";
import {
  type Answer,
  type Estimate,
  estimateOfMean,
  estimateOfRatio,
} from "../../src/statistics/estimate.ts";
import { fieller } from "../../src/statistics/fieller.ts";
import { heterogeneity, trendWithinUnits } from "../../src/statistics/heterogeneity.ts";
import { jointMomentsOf, marginalOf } from "../../src/statistics/joint-moments.ts";
import { crossMomentsOf, mergeMoments, momentsOf, noMoments } from "../../src/statistics/moments.ts";
import { postStratified, unitDenominator } from "../../src/statistics/post-stratification.ts";
import type { Baseline } from "../../src/statistics/power-plan.ts";
import { proportionDifference } from "../../src/statistics/proportions.ts";
import { estimateOfQuantile } from "../../src/statistics/quantile.ts";
import { sampleSize } from "../../src/statistics/sample-size.ts";
import { difference, relativeLift } from "../../src/statistics/welch.ts";
import { withMissing } from "../support/covariate-row.ts";
import { plainPlan } from "../support/power-plans.ts";
import { quantileSumsOf } from "../support/unit-events.ts";
import { bucketedMomentsOf, pooledCap, winsorised } from "../support/winsorised.ts";

const seed = "2026-11-26";
const runs = 1_000;
/** Three standard errors of a share of 5 % in that many runs. */
const slack = 3 * Math.sqrt((0.05 * 0.95) / runs);

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

function draws<T>(count: number, draw: (at: number) => T): T[] {
  return Array.from({ length: count }, (_, at) => draw(at));
}

function given<T>(answered: Answer<T, string>): T {
  if (!answered.ok) throw new Error(`no answer: ${answered.reason}`);
  return answered.value;
}

function pValueOf(arms: readonly Estimate[]): number {
  return given(difference(arms[1] as Estimate, arms[0] as Estimate, 0.05)).pValue;
}

/** Share of the runs in which it happens. */
function shareOf(name: string, happens: (random: Random) => boolean, of = runs): number {
  const random = randomStream(seed, name);
  return draws(of, () => happens(random)).filter(Boolean).length / of;
}

function expectFivePercent(share: number): void {
  expect(share).toBeGreaterThan(0.05 - slack);
  expect(share).toBeLessThan(0.05 + slack);
}

describe("A/A experiments are found different in 5 % of the runs", () => {
  test.each([0.5, 0.9])("by the quantile %d of events that cluster in units", (quantile) => {
    const arm = (random: Random) =>
      quantileSumsOf(
        draws(80, () => {
          const speed = 0.5 * normal(random);
          return draws(1 + Math.floor(8 * random.next()), () => Math.exp(speed + 0.5 * normal(random)));
        }),
      );
    expectFivePercent(
      shareOf(`quantile ${quantile}`, (random) => {
        const arms = draws(2, () => given(estimateOfQuantile(arm(random), quantile)));
        return pValueOf(arms) < 0.05;
      }),
    );
  });

  test("by a ratio adjusted for its past, a third of the units having none", () => {
    const arm = (random: Random) =>
      jointMomentsOf(
        draws(120, () => {
          const [taste, activity] = [0.5 * random.next(), 1 + Math.floor(20 * random.next() ** 2)];
          const clicks = (views: number) =>
            draws(views, () => Number(random.next() < taste)).reduce((a, b) => a + b, 0);
          const past = random.next() < 1 / 3 ? undefined : [clicks(activity), activity];
          return [clicks(activity), activity, ...withMissing(past, 2)];
        }),
        5,
      );
    expectFivePercent(
      shareOf("adjusted ratio", (random) => {
        const outcome = { numerator: 0, denominator: 1, covariates: [2, 3, 4] };
        const adjusted = given(adjustedArms([arm(random), arm(random)], outcome));
        return pValueOf(adjusted.arms) < 0.05;
      }),
    );
  });

  test("by post-stratification, some strata being too small", () => {
    const stratified = (random: Random) => {
      const units = draws(90, () => {
        const stratum = Math.floor(6 * random.next() ** 3);
        return { stratum, value: 3 * stratum + (1 + stratum) * normal(random) };
      });
      return draws(6, (at) =>
        unitDenominator(momentsOf(units.filter(({ stratum }) => stratum === at).map(({ value }) => value))),
      );
    };
    let merged = 0;
    let reduction = 0;
    const share = shareOf("post-stratified", (random) => {
      const got = given(postStratified([stratified(random), stratified(random)]));
      merged += got.merged / runs;
      reduction += got.varianceReduction / runs;
      return pValueOf(got.arms) < 0.05;
    });
    expectFivePercent(share);
    expect(merged).toBeGreaterThan(1);
    expect(reduction).toBeGreaterThan(0.2);
  });

  test("by winsorised means, the cap being one for both arms", () => {
    expectFivePercent(
      shareOf("winsorised", (random) => {
        const arms = draws(2, () =>
          bucketedMomentsOf(
            draws(100, () => [Math.exp(1.5 * normal(random))]),
            1,
          ),
        );
        const cap = given(pooledCap(arms, 0.95));
        return pValueOf(arms.map((arm) => given(estimateOfMean(marginalOf(winsorised(arm, cap), 0))))) < 0.05;
      }),
    );
  });

  test("by the score interval of a share of 2 %, at most", () => {
    const share = shareOf("shares", (random) => {
      const arm = () => ({
        units: 300,
        events: draws(300, () => Number(random.next() < 0.02)).reduce((a, b) => a + b, 0),
      });
      return given(proportionDifference(arm(), arm(), 0.05)).pValue < 0.05;
    });
    expect(share).toBeGreaterThan(0.02);
    expect(share).toBeLessThan(0.05 + slack);
  });

  test("by the interaction test over five segments that have the same effect", () => {
    expectFivePercent(
      shareOf("segments", (random) => {
        const segments = draws(5, (at) => {
          const arms = draws(2, (arm) =>
            given(estimateOfMean(momentsOf(draws(60, () => (1 + at) * normal(random) + 0.5 * arm)))),
          );
          return given(difference(arms[1] as Estimate, arms[0] as Estimate, 0.05));
        });
        return given(heterogeneity(segments)).pValue < 0.05;
      }),
    );
  });

  test("by the trend within units, whose days resemble each other, where the effect stays", () => {
    const days = [0, 1, 2, 3, 4];
    expectFivePercent(
      shareOf("trend", (random) => {
        const arms = draws(2, (arm) => {
          const units = draws(60, () => {
            const [level, drift] = [normal(random), normal(random)];
            return days.map((day) => level + drift * day + 0.5 * normal(random) + 0.4 * arm);
          });
          return given(trendWithinUnits(jointMomentsOf(units, days.length), days));
        });
        return pValueOf(arms) < 0.05;
      }),
    );
  });
});

describe("Fieller's set holds the true lift in 95 % of the runs", () => {
  test.each([
    ["control one standard error from zero", 0.1],
    ["control ten standard errors from zero", 1],
  ])("%s", (name, mean) => {
    expectFivePercent(
      shareOf(name, (random) => {
        const [control, treated] = [mean, 1.5 * mean].map((centre) =>
          given(estimateOfMean(momentsOf(draws(100, () => centre + normal(random))))),
        ) as [Estimate, Estimate];
        const set = given(fieller(treated, control, 0.05));
        // The lift has the sign of the difference, so an estimate of control that is negative turns the truth too.
        const truth = 0.5 * Math.sign(control.value);
        if (set.kind === "everything") return false;
        const between = truth >= set.ciLow && truth <= set.ciHigh;
        return set.kind === "bounded" ? !between : between && truth !== set.ciLow && truth !== set.ciHigh;
      }),
    );
  });
});

test("the relative lift of a ratio, by the delta method and by Fieller, holds the true one in 95 % of the runs", () => {
  const missed = { delta: 0, fieller: 0 };
  const random = randomStream(seed, "ratio lift");
  for (let run = 0; run < runs; run++) {
    const [control, treated] = [1, 1.2].map((factor) =>
      given(
        estimateOfRatio(
          crossMomentsOf(
            draws(100, (): [views: number, clicks: number] => {
              const [taste, views] = [0.6 * random.next(), 1 + Math.floor(15 * random.next() ** 2)];
              return [
                views,
                draws(views, () => Number(random.next() < factor * taste)).reduce((a, b) => a + b, 0),
              ];
            }),
          ),
        ),
      ),
    ) as [Estimate, Estimate];
    const delta = given(relativeLift(treated, control, 0.05));
    const set = given(fieller(treated, control, 0.05));
    missed.delta += Number(delta.ciLow > 0.2 || delta.ciHigh < 0.2) / runs;
    missed.fieller += Number(set.kind !== "bounded" || set.ciLow > 0.2 || set.ciHigh < 0.2) / runs;
  }
  expectFivePercent(missed.delta);
  expectFivePercent(missed.fieller);
});

describe("planned for 80 %, found in 80 % of the runs", () => {
  const baseline: Baseline = { value: 0, unitVariance: 1, spread: "constant" };

  test("with one look, in arms of one to three", () => {
    const plan = { ...plainPlan, shares: { control: 0.75, treated: 0.25 } };
    const size = given(sampleSize(plan, baseline, 0.3, 0.8));
    const found = shareOf("unequal power", (random) => {
      const arm = (units: number, effect: number) =>
        given(estimateOfMean(momentsOf(draws(units, () => normal(random) + effect))));
      return pValueOf([arm(size.control, 0), arm(size.treated, 0.3)]) < 0.05;
    });
    expect(Math.abs(found - 0.8)).toBeLessThan(3 * Math.sqrt(0.16 / runs));
  });

  test("always valid: at the planned end in 80 %, and in somewhat more at some look before", () => {
    const size = given(sampleSize({ ...plainPlan, monitoring: "always-valid" }, baseline, 0.5, 0.8));
    const looks = 20;
    const perLook = size.control / looks;
    let atEnd = 0;
    const everFound = shareOf("always-valid power", (random) => {
      let [control, treated] = [noMoments, noMoments];
      let ever = false;
      let last = false;
      for (let look = 1; look <= looks; look++) {
        const until = Math.round(perLook * look);
        const more = (seen: number, effect: number) =>
          momentsOf(draws(until - seen, () => normal(random) + effect));
        control = mergeMoments(control, more(control.count, 0));
        treated = mergeMoments(treated, more(treated.count, 0.5));
        const tested = given(
          difference(given(estimateOfMean(treated)), given(estimateOfMean(control)), 0.05),
        );
        last = alwaysValid(tested, 2 * until, 0.05, size.analysed).ciLow > 0;
        ever ||= last;
      }
      atEnd += Number(last) / runs;
      return ever;
    });
    expect(Math.abs(atEnd - 0.8)).toBeLessThan(3 * Math.sqrt(0.16 / runs));
    expect(everFound).toBeGreaterThan(atEnd);
    expect(everFound).toBeLessThan(0.9);
  });
});
