/**
 * Two arms compared at every look. Were control's share known, evidence that control is not above it and evidence that
 * the treated arm is above it by more than allowed could be multiplied: the arms are independent, so that the product of
 * the two nonnegative supermartingales is one as well. It is not known, so the least that the product is for any share
 * counts: it is at most what it is for the true one, and so it ever reaches 1 / alpha with a probability of at most alpha.
 * (Universal inference's infimum over a nuisance parameter: Wasserman, Ramdas, Balakrishnan, PNAS 117(29), 2020.)
 */
import { evidenceAbove, evidenceBelow } from "./proportion-evidence.ts";

export interface Events {
  readonly events: number;
  readonly trials: number;
}

/** Shares between which the least is looked for, dense where shares are rare. */
const shares = [0, ...Array.from({ length: 561 }, (_, at) => 1 / (1 + Math.exp(14 - at * 0.05))), 1];

/**
 * The logarithm of the evidence that the treated arm's share of events is more than `margin` above control's.
 * Between two shares of the grid the smaller of each arm's evidence counts, so that nothing is made up by the grid.
 */
export function evidenceOfHigherShare(treated: Events, control: Events, margin: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let at = 1; at < shares.length; at++) {
    const low = shares[at - 1] as number;
    const high = Math.min(1, (shares[at] as number) + margin);
    const evidence =
      hedged(evidenceAbove(treated.events, treated.trials, high)) +
      hedged(evidenceBelow(control.events, control.trials, low));
    if (evidence < least) least = evidence;
  }
  return least;
}

/**
 * The same of a quantile: that the treated arm's lies more than `shift` buckets above control's, of values counted in the
 * same ascending buckets. Control's lies in one of them: more than `1 - quantile` of its values are then above the bucket
 * before, and of the treated arm's, if it lies no more than `shift` higher, no more than that above the shifted one.
 */
export function evidenceOfHigherQuantile(
  treated: ArrayLike<number>,
  control: ArrayLike<number>,
  quantile: number,
  shift: number,
): number {
  const rest = 1 - quantile;
  const [treatedAbove, controlAbove] = [aboveEach(treated), aboveEach(control)];
  const [treatedTrials, controlTrials] = [total(treated), total(control)];
  const last = control.length - 1;
  let least = Number.POSITIVE_INFINITY;
  let [seenBefore, seenShifted] = [-1, -1];
  for (let bucket = 0; bucket <= last; bucket++) {
    const before = bucket === 0 ? controlTrials : (controlAbove[bucket - 1] as number);
    const shifted = treatedAbove[Math.min(last, bucket + shift)] as number;
    // Between two values nothing changes, and evidence is not for nothing.
    if (before === seenBefore && shifted === seenShifted) continue;
    [seenBefore, seenShifted] = [before, shifted];
    const evidence =
      hedged(evidenceAbove(shifted, treatedTrials, rest)) +
      hedged(evidenceBelow(before, controlTrials, rest));
    if (evidence < least) least = evidence;
  }
  return least;
}

/** The bucket in which a quantile of the values lies. @param counts at least one value. */
export function quantileBucket(counts: ArrayLike<number>, quantile: number): number {
  const allowed = (1 - quantile) * total(counts);
  return aboveEach(counts).findIndex((above) => above <= allowed);
}

/** Half of the stake is kept: evidence against control must not eat up all that speaks for the arm. */
function hedged(logEvidence: number): number {
  return (
    (logEvidence > 0 ? logEvidence + Math.log1p(Math.exp(-logEvidence)) : Math.log1p(Math.exp(logEvidence))) -
    Math.LN2
  );
}

function total(counts: ArrayLike<number>): number {
  let sum = 0;
  for (let bucket = 0; bucket < counts.length; bucket++) sum += counts[bucket] as number;
  return sum;
}

/** How many values lie above each bucket. */
function aboveEach(counts: ArrayLike<number>): readonly number[] {
  let left = total(counts);
  return Array.from({ length: counts.length }, (_, bucket) => {
    left -= counts[bucket] as number;
    return left;
  });
}
