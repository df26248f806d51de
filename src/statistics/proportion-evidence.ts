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
const logFactors = oddsFactors.map(Math.log);

/**
 * The natural logarithm of the evidence that the share of events is above `share`; it may be taken for proven at level
 * alpha once this is at least `ln(1 / alpha)`. Rises with the events, falls with the share.
 */
export function evidenceAbove(events: number, trials: number, share: number): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < oddsFactors.length; at++) {
    const log = logRatio(at, events, trials, share);
    if (log > largest) largest = log;
  }
  let sum = 0;
  for (let at = 0; at < oddsFactors.length; at++) {
    sum += Math.exp(logRatio(at, events, trials, share) - largest);
  }
  return largest + Math.log(sum / oddsFactors.length);
}

function logRatio(at: number, events: number, trials: number, share: number): number {
  return events * (logFactors[at] as number) - trials * Math.log1p(((oddsFactors[at] as number) - 1) * share);
}

/** The same for a share below `share`: that of the trials without the event is above the rest. */
export function evidenceBelow(events: number, trials: number, share: number): number {
  return evidenceAbove(trials - events, trials, 1 - share);
}

/** Halvings: a bound to within 1e-12. */
const steps = 40;

/** A share that the true one is not below, with a probability of at least 1 - alpha at all looks together. */
export function proportionLow(events: number, trials: number, alpha: number): number {
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
