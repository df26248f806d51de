/**
 * The step-up adjustment of Benjamini and Hochberg ("Controlling the False Discovery Rate", JRSS B 57, 1995): of those
 * whose adjusted p-value is at most q, no more than a share q is expected to be false; for tests that are independent or
 * positively dependent (Benjamini, Yekutieli, Annals of Statistics 29, 2001). The i-th smallest of m is multiplied by
 * `m / i`, and never exceeds the one after it. The answers stand in the order of the arguments.
 */
export function benjaminiHochberg(pValues: readonly number[]): number[] {
  const order = pValues.map((pValue, index) => ({ pValue, index })).sort((a, b) => b.pValue - a.pValue);
  const adjusted = new Array<number>(pValues.length).fill(1);
  let ceiling = 1;
  for (const [place, { pValue, index }] of order.entries()) {
    ceiling = Math.min(ceiling, (pValues.length / (pValues.length - place)) * pValue);
    adjusted[index] = ceiling;
  }
  return adjusted;
}
