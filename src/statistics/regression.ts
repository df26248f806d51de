/** Least squares on a few variables, from their sums of products alone. */

/** Of a variable's own spread, what must be left after the variables before it are accounted for. */
const collinearShare = 1e-9;

/**
 * Solves `A theta = b` for a symmetric, positive semidefinite `A` by Cholesky's factorisation of the matrix scaled to a
 * diagonal of ones, so that the unit a variable is measured in makes no difference. A variable without spread, or that
 * those before it determine, gets the coefficient 0: it has nothing to add.
 * @returns undefined where no variable has anything to add.
 */
export function coefficients(
  matrix: (i: number, j: number) => number,
  right: readonly number[],
): number[] | undefined {
  const size = right.length;
  const scales = right.map((_, i) => Math.sqrt(matrix(i, i)));
  const used: number[] = [];
  const lower: number[][] = [];
  const forward: number[] = [];
  for (let i = 0; i < size; i++) {
    const scale = scales[i] as number;
    if (!(scale > 0)) continue;
    const row: number[] = [];
    for (const [at, j] of used.entries()) {
      const inner = dot(row, lower[at] as number[], at);
      const scaled = matrix(i, j) / scale / (scales[j] as number);
      row.push((scaled - inner) / ((lower[at] as number[])[at] as number));
    }
    const left = 1 - dot(row, row, row.length);
    if (!(left > collinearShare)) continue;
    const pivot = Math.sqrt(left);
    forward.push(((right[i] as number) / scale - dot(row, forward, row.length)) / pivot);
    lower.push([...row, pivot]);
    used.push(i);
  }
  if (used.length === 0) return undefined;
  const theta = new Array<number>(size).fill(0);
  for (let at = used.length - 1; at >= 0; at--) {
    let rest = forward[at] as number;
    for (let below = at + 1; below < used.length; below++) {
      const variable = used[below] as number;
      rest -=
        ((lower[below] as number[])[at] as number) *
        (theta[variable] as number) *
        (scales[variable] as number);
    }
    const variable = used[at] as number;
    theta[variable] = rest / ((lower[at] as number[])[at] as number) / (scales[variable] as number);
  }
  return theta;
}

function dot(a: readonly number[], b: readonly number[], terms: number): number {
  let sum = 0;
  for (let i = 0; i < terms; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
