/** The straight line `fixed + slope * x` through measured points. */
export interface LineFit {
  readonly fixed: number;
  readonly slope: number;
}

/**
 * Weighted least squares: the line with the least sum of `weight * (y - line)^2` (Bevington and Robinson, "Data
 * Reduction and Error Analysis", 3rd edition, equations 6.12). One point, or several at one x, give a flat line.
 * @param weightOf every point counts alike where it is left out.
 */
export function fitLine(
  points: readonly (readonly [number, number])[],
  weightOf: (y: number) => number = () => 1,
): LineFit {
  const weights = points.map(([, y]) => weightOf(y));
  const total = sum(weights);
  if (total === 0) return { fixed: 0, slope: 0 };
  const meanX = sum(points.map(([x], i) => (weights[i] as number) * x)) / total;
  const meanY = sum(points.map(([, y], i) => (weights[i] as number) * y)) / total;
  // Around the means, which is the same line and loses no digits where x is far from 0.
  const spread = sum(points.map(([x], i) => (weights[i] as number) * (x - meanX) ** 2));
  const together = sum(points.map(([x, y], i) => (weights[i] as number) * (x - meanX) * (y - meanY)));
  const slope = spread === 0 ? 0 : together / spread;
  return { fixed: meanY - slope * meanX, slope };
}

/** For measurements whose errors grow with them: a tenth too much counts alike at 1 ms and at 10 ms. */
export function relativeWeight(y: number): number {
  return 1 / y ** 2;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
