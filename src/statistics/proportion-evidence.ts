/**
 * Bounds of a proportion that hold at every look at once, for any number of trials from the first on: no normal
 * approximation stands between a rare event and its bound.
 *
 * Against "the share of events is at most p" the evidence after s events in n trials is the mean of likelihood ratios
 * towards odds that are higher by a factor theta, `theta^s / (1 + (theta - 1) p)^n`. Where the share is at most p, each
 * is a nonnegative supermartingale that starts at 1, and so is their mean (the method of mixtures: Robbins, Annals of
 * Mathematical Statistics 41, 1970); it ever reaches 1 / alpha with a probability of at most alpha (Ville, 1939). The
 * shares for which it has not are a confidence sequence (Howard, Ramdas, McAuliffe, Sekhon, "Time-uniform,
 * nonparametric, nonasymptotic confidence sequences", Annals of Statistics 49(2), 2021).
 */

/** Factors of the odds: from a difference that a million trials show to one that five do. Equal weights. */
const oddsFactors = [1.05, 1.1, 1.2, 1.35, 1.6, 2, 3, 5, 10, 30, 100, 1_000];

/**
 * The natural logarithm of the evidence that the share of events is above `share`; it may be taken for proven at level
 * alpha once this is at least `ln(1 / alpha)`. Rises with the events, falls with the share.
 */
export function evidenceAbove(events: number, trials: number, share: number): number {
  const logs = oddsFactors.map(
    (factor) => events * Math.log(factor) - trials * Math.log1p((factor - 1) * share),
  );
  const largest = Math.max(...logs);
  const sum = logs.reduce((total, log) => total + Math.exp(log - largest), 0);
  return largest + Math.log(sum / logs.length);
}

/** The same for a share below `share`: that of the trials without the event is above the rest. */
function evidenceBelow(events: number, trials: number, share: number): number {
  return evidenceAbove(trials - events, trials, 1 - share);
}

/** Each alone holds with a probability of at least 1 - alpha, at all looks together. */
export interface ProportionBounds {
  readonly low: number;
  readonly high: number;
}

export function proportionBounds(events: number, trials: number, alpha: number): ProportionBounds {
  return {
    low: lowBound(events, trials, alpha),
    high: 1 - lowBound(trials - events, trials, alpha),
  };
}

/** Halvings: a bound to within 1e-12. */
const steps = 40;

function lowBound(events: number, trials: number, alpha: number): number {
  const proven = -Math.log(alpha);
  if (events === 0 || evidenceAbove(events, trials, 0) < proven) return 0;
  let low = 0;
  let high = events / trials;
  for (let step = 0; step < steps; step++) {
    const middle = (low + high) / 2;
    if (evidenceAbove(events, trials, middle) >= proven) low = middle;
    else high = middle;
  }
  return low;
}

/** Buckets of a histogram; a quantile lies in one of them. */
export interface QuantileBounds {
  /** The quantile is above this bucket's bound; undefined where nothing is proven. */
  readonly above: number | undefined;
  /** The quantile is not above this bucket's bound. */
  readonly within: number | undefined;
  /** The bucket that the quantile of the values themselves lies in. */
  readonly at: number;
}

/**
 * A quantile of values that were counted in buckets, in ascending order. It is above a bound where more than
 * `1 - quantile` of the values are. The bound needs no share of alpha for each bucket: where it is wrong for one, it is
 * wrong for the one next to the true quantile too.
 * @param counts at least one value.
 */
export function quantileBounds(counts: ArrayLike<number>, quantile: number, alpha: number): QuantileBounds {
  const proven = -Math.log(alpha);
  let trials = 0;
  for (let bucket = 0; bucket < counts.length; bucket++) trials += counts[bucket] as number;
  let left = trials;
  let above: number | undefined;
  let within: number | undefined;
  let at: number | undefined;
  for (let bucket = 0; bucket < counts.length; bucket++) {
    const inside = counts[bucket] as number;
    left -= inside;
    // Between two values nothing changes, and evidence is not for nothing.
    if (inside === 0 && bucket > 0) {
      if (above === bucket - 1) above = bucket;
      continue;
    }
    if (evidenceAbove(left, trials, 1 - quantile) >= proven) above = bucket;
    if (at === undefined && left <= (1 - quantile) * trials) at = bucket;
    if (within === undefined && evidenceBelow(left, trials, 1 - quantile) >= proven) within = bucket;
    if (within !== undefined && at !== undefined) break;
  }
  return { above, within, at: at ?? counts.length - 1 };
}
