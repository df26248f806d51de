/**
 * Holm's step-down adjustment (Scandinavian Journal of Statistics 6, 1979): comparing an adjusted p-value with alpha
 * keeps the chance of any false positive in the family below alpha, whatever the dependence between the tests.
 * The i-th smallest of m is multiplied by `m - i`, never falls below the one before it, and is at most 1.
 * The answers stand in the order of the arguments.
 */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((pValue, index) => ({ pValue, index })).sort((a, b) => a.pValue - b.pValue);
  const adjusted = new Array<number>(pValues.length).fill(1);
  let floor = 0;
  for (const [rank, { pValue, index }] of order.entries()) {
    floor = Math.max(floor, Math.min(1, (pValues.length - rank) * pValue));
    adjusted[index] = floor;
  }
  return adjusted;
}
