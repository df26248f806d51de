/** Are there enough units for the mean to be nearly normal? Every interval here rests on it. */

/** Like `Moments`, with the sum of cubed deviations. */
export interface SkewedMoments {
  readonly count: number;
  readonly mean: number;
  readonly m2: number;
  readonly m3: number;
}

/** `sqrt(n) m3 / m2^1.5`; 0 where there is no spread. */
export function skewness({ count, m2, m3 }: SkewedMoments): number {
  return m2 > 0 ? (Math.sqrt(count) * (m3 / m2)) / Math.sqrt(m2) : 0;
}

export interface MinimumUnits {
  readonly units: number;
  readonly needed: number;
  readonly ok: boolean;
}

/** Fewer are no sample for a normal approximation, whatever they look like. */
const fewest = 50;

/**
 * `355 s^2` units an arm, s the skewness: then a 95 % interval of its mean misses on either side with 2 to 3 % (Kohavi,
 * Deng, Longbotham, Xu, "Seven Rules of Thumb for Web Site Experimenters", KDD 2014, rule 7); at least fifty. In the
 * difference of two arms of one size most of the skewness cancels, so that the rule is on the safe side.
 */
export function minimumUnits(moments: SkewedMoments): MinimumUnits {
  const skew = skewness(moments);
  const needed = Number.isFinite(skew) ? Math.max(fewest, Math.ceil(355 * skew * skew)) : fewest;
  return { units: moments.count, needed, ok: moments.count >= needed && Number.isFinite(skew) };
}
