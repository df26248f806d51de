/**
 * Kendall's tau-b of two rankings of the same things, given as their scores: 1 where they agree on every pair, -1 where
 * one is the other turned round. A pair that ties in either counts for neither, and for less in the measure
 * (Kendall, Biometrika 33(3), 1945). Undefined where one of them ties every pair, as with a single thing.
 *
 * In O(n log n): sorted by the one, the pairs that the other has the wrong way round are the exchanges of a merge sort
 * (Knight, Journal of the American Statistical Association 61(314), 1966).
 */
export function kendallTau(one: Float64Array, other: Float64Array): number | undefined {
  const count = one.length;
  const at = (scores: Float64Array, place: number): number => scores[place] as number;
  const order = Uint32Array.from({ length: count }, (_, place) => place).sort(
    (left, right) => at(one, left) - at(one, right) || at(other, left) - at(other, right),
  );
  const tiedInOne = tiedPairs(order, (left, right) => at(one, left) === at(one, right));
  const tiedInBoth = tiedPairs(
    order,
    (left, right) => at(one, left) === at(one, right) && at(other, left) === at(other, right),
  );
  const byOther = Float64Array.from(order, (place) => at(other, place));
  const discordant = sortCounting(byOther);
  const tiedInOther = tiedPairs(byOther, (left, right) => left === right);

  const pairs = (count * (count - 1)) / 2;
  const untied = (pairs - tiedInOne) * (pairs - tiedInOther);
  if (untied === 0) return undefined;
  // One root of the product: two roots would leave 1 a digit short.
  return (pairs - tiedInOne - tiedInOther + tiedInBoth - 2 * discordant) / Math.sqrt(untied);
}

/** Pairs within the runs of neighbours that are equal. */
function tiedPairs(sorted: ArrayLike<number>, equal: (left: number, right: number) => boolean): number {
  let pairs = 0;
  for (let i = 1, run = 0; i < sorted.length; i++) {
    run = equal(sorted[i - 1] as number, sorted[i] as number) ? run + 1 : 0;
    pairs += run;
  }
  return pairs;
}

/** Sorts in place, rising; answers how many pairs stood the wrong way round. */
function sortCounting(values: Float64Array<ArrayBuffer>): number {
  let exchanges = 0;
  let from = values;
  let to = new Float64Array(values.length);
  for (let width = 1; width < values.length; width *= 2) {
    for (let start = 0; start < values.length; start += 2 * width) {
      const middle = Math.min(start + width, values.length);
      const end = Math.min(start + 2 * width, values.length);
      let left = start;
      let right = middle;
      for (let place = start; place < end; place++) {
        const takeLeft =
          left < middle && (right === end || (from[left] as number) <= (from[right] as number));
        if (!takeLeft) exchanges += middle - left;
        to[place] = from[takeLeft ? left++ : right++] as number;
      }
    }
    [from, to] = [to, from];
  }
  if (from !== values) values.set(from);
  return exchanges;
}
