/** Kinds of units, each drawing one arm of an experiment. */
import type { Random } from "../../src/domain/clock.ts";
import { crossMomentsOf, momentsOf } from "../../src/statistics/moments.ts";
import {
  type Answer,
  type CrossMoments,
  type Estimate,
  estimateOfMean,
  estimateOfQuantile,
  estimateOfRatio,
  type JointMoments,
  jointMomentsOf,
  unitDenominator,
} from "../../src/statistics/statistics.ts";
import { withMissing } from "../support/covariate-row.ts";
import { quantileSumsOf } from "../support/unit-events.ts";
import { draws, normal, successes } from "./draws.ts";

export function armOf(random: Random, units: number, draw: (random: Random) => number): Answer<Estimate> {
  return estimateOfMean(momentsOf(draws(units, () => draw(random))));
}

/** Seven in ten do nothing, the others spend very unequally. */
export function mostlyZero(random: Random): number {
  return random.next() < 0.7 ? 0 : Math.exp(normal(random));
}

/** Units with up to `busiest` requests, a third of that on average, each unit with a taste of its own: `[views, clicks]`. */
export function clickingUnits(
  random: Random,
  units: number,
  lift = 1,
  busiest = 60,
): [views: number, clicks: number][] {
  return draws(units, () => {
    const taste = 0.4 * random.next() * lift;
    const views = 1 + Math.floor(busiest * random.next() ** 2);
    return [views, successes(random, views, taste)];
  });
}

export function ratioOfUnits(units: readonly [number, number][]): Answer<Estimate> {
  return estimateOfRatio(crossMomentsOf(units));
}

/** Each request as if it were a unit of its own: the usual mistake. */
export function ratioOfRequests(units: readonly [number, number][]): Answer<Estimate> {
  const requests = units.reduce((sum, [views]) => sum + views, 0);
  const clicks = units.reduce((sum, [, clicked]) => sum + clicked, 0);
  const mean = clicks / requests;
  return estimateOfMean({ count: requests, mean, m2: requests * mean * (1 - mean) });
}

/** The outcome, its past and whether there is none, of units of which a third are new; the past explains 64 %. */
export function unitsWithPast(random: Random, units: number, effect = 0): JointMoments {
  const rows = draws(units, () => {
    const before = normal(random);
    const past = random.next() < 1 / 3 ? undefined : [before];
    return [effect + 0.8 * before + 0.6 * normal(random), ...withMissing(past, 1)];
  });
  return jointMomentsOf(rows, 3);
}

/** Clicks, views, and both before, of units of which a third are new; the clicks of now are `lift` times as likely. */
export function clickingUnitsWithPast(random: Random, units: number, lift = 1): JointMoments {
  const rows = draws(units, () => {
    const [taste, activity] = [0.5 * random.next(), 1 + Math.floor(20 * random.next() ** 2)];
    const clicks = (times: number): number => successes(random, activity, times * taste);
    const past = random.next() < 1 / 3 ? undefined : [clicks(1), activity];
    return [clicks(lift), activity, ...withMissing(past, 2)];
  });
  return jointMomentsOf(rows, 5);
}

/** Six unequal strata, whose means and spreads differ, of one arm. */
export function strataOf(random: Random, units: number, effect = 0): CrossMoments[] {
  const values = draws(6, (): number[] => []);
  for (let unit = 0; unit < units; unit++) {
    const stratum = Math.floor(6 * random.next() ** 3);
    values[stratum]?.push(effect + 3 * stratum + (1 + stratum) * normal(random));
  }
  return values.map((within) => unitDenominator(momentsOf(within)));
}

/**
 * Latencies that cluster in units, all `slower` times as long, or longer by `added`; `spread` is that of their logarithms,
 * between units and within each.
 */
export function latencies(
  random: Random,
  units: number,
  quantile: number,
  { slower = 1, added = 0, spread = 0.5 } = {},
): Answer<Estimate, string> {
  const arm = draws(units, () => {
    const speed = spread * normal(random);
    return draws(
      1 + Math.floor(8 * random.next()),
      () => added + slower * Math.exp(speed + spread * normal(random)),
    );
  });
  return estimateOfQuantile(quantileSumsOf(arm), quantile);
}
