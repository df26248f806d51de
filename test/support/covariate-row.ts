/** A unit's covariates, and whether it has none: the row for `adjustedArms`. `undefined` is a unit without a past. */
export function withMissing(past: readonly number[] | undefined, covariates: number): number[] {
  return past === undefined ? [...new Array<number>(covariates).fill(0), 1] : [...past, 0];
}
