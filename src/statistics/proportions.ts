/** Shares of units, a yes or no of each: intervals that hold where events are rare and a mean's straight line is poor. */
import { type Answer, answer, noAnswer } from "./estimate.ts";
import { criticalNormal, upperNormal } from "./normal.ts";
import type { Interval } from "./welch.ts";

/** How many units did, of how many. */
export interface Share {
  readonly events: number;
  readonly units: number;
}

/**
 * The share of one arm with its score interval, `(p + z^2 / 2n -+ z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n)` (Wilson,
 * Journal of the American Statistical Association 22, 1927; Brown, Cai, DasGupta, Statistical Science 16(2), 2001, eq. 4).
 * It never leaves [0, 1], and has a width also where nobody or everybody did.
 */
export function proportion({ events, units }: Share, alpha: number): Answer<Interval> {
  if (units === 0) return noAnswer("no-units");
  const z = criticalNormal(alpha / 2);
  const share = events / units;
  const middle = share + (z * z) / (2 * units);
  const half = z * Math.sqrt((share * (1 - share)) / units + (z * z) / (4 * units * units));
  const scale = 1 + (z * z) / units;
  // At the ends the two terms are equal, and rounding must not push the bound past them.
  const ciLow = events === 0 ? 0 : (middle - half) / scale;
  const ciHigh = events === units ? 1 : (middle + half) / scale;
  return answer({ estimate: share, ciLow, ciHigh });
}

export interface ProportionDifference extends Interval {
  readonly statistic: number;
  /** Two-sided, of "the shares are equal". */
  readonly pValue: number;
}

/** Halvings: a bound to the last digits of a double. */
const steps = 60;

/**
 * Treated minus control by the score test: the differences d that `z(d)` does not rule out,
 * `z(d) = (pT - pC - d) / sqrt((qT (1 - qT) / nT + qC (1 - qC) / nC) N / (N - 1))`, where qT and qC are the likeliest shares that
 * differ by d (Miettinen, Nurminen, "Comparative analysis of two rates", Statistics in Medicine 4, 1985, eq. 9; the cubic's
 * solution: Farrington, Manning, Statistics in Medicine 9, 1990, appendix). At d = 0 it is the pooled z test, so p-value
 * and interval never disagree. The interval of level `1 - 2 alpha` is the test of non-inferiority at alpha.
 */
export function proportionDifference(
  treated: Share,
  control: Share,
  alpha: number,
): Answer<ProportionDifference> {
  if (treated.units === 0 || control.units === 0) return noAnswer("no-units");
  const events = treated.events + control.events;
  if (events === 0 || events === treated.units + control.units) return noAnswer("no-variance");
  const estimate = treated.events / treated.units - control.events / control.units;
  const statistic = proportionStatistic(treated, control, 0);
  const z = criticalNormal(alpha / 2);
  return answer({
    estimate,
    ciLow: crossing(treated, control, z, -1, estimate),
    ciHigh: crossing(treated, control, -z, 1, estimate),
    statistic,
    pValue: Math.min(1, 2 * upperNormal(Math.abs(statistic))),
  });
}

/** `z(d)`, falling in d, of arms that have units; infinite where no variance is left at d. */
export function proportionStatistic(treated: Share, control: Share, difference: number): number {
  const all = treated.units + control.units;
  const base = likeliestControl(treated, control, difference);
  const shifted = base + difference;
  const variance = (shifted * (1 - shifted)) / treated.units + (base * (1 - base)) / control.units;
  const gap = treated.events / treated.units - control.events / control.units - difference;
  if (gap === 0) return 0;
  return gap / Math.sqrt((Math.max(0, variance) * all) / (all - 1));
}

/** Control's share where the likelihood of both arms is largest with treated's being higher by `difference`. */
function likeliestControl(treated: Share, control: Share, difference: number): number {
  const all = treated.units + control.units;
  const events = treated.events + control.events;
  const [least, most] = [Math.max(0, -difference), Math.min(1, 1 - difference)];
  // l3 q^3 + l2 q^2 + l1 q + l0 = 0, the derivative of the log-likelihood.
  const l2 = (treated.units + 2 * control.units) * difference - all - events;
  const l1 = (control.units * difference - all - 2 * control.events) * difference + events;
  const l0 = control.events * difference * (1 - difference);
  const shift = l2 / (3 * all);
  const q = shift ** 3 - (l1 * l2) / (6 * all * all) + l0 / (2 * all);
  const root = Math.sqrt(Math.max(0, shift * shift - l1 / (3 * all)));
  const p = q > 0 ? root : -root;
  const cosine = p === 0 ? 0 : Math.min(1, Math.max(-1, q / p ** 3));
  const angle = (Math.PI + Math.acos(cosine)) / 3;
  return Math.min(most, Math.max(least, 2 * p * Math.cos(angle) - shift));
}

/** The difference at which the falling `z(d)` is `level`, between the estimate and `end`. */
function crossing(treated: Share, control: Share, level: number, end: -1 | 1, estimate: number): number {
  let [inside, outside] = [estimate, end as number];
  for (let step = 0; step < steps; step++) {
    const middle = (inside + outside) / 2;
    const within =
      end < 0
        ? proportionStatistic(treated, control, middle) <= level
        : proportionStatistic(treated, control, middle) >= level;
    if (within) inside = middle;
    else outside = middle;
  }
  return inside;
}
