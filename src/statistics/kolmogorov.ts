/** The distribution of Kolmogorov's two-sided statistic, from its upper side. */
import gammaln from "@stdlib/math-base-special-gammaln";

/** A calibration has a thousand; above, the exact distribution takes ever longer, and the limit is right to three digits. */
export const exactKolmogorovUpTo = 1_000;

/** Below this tail twice the one-sided probability is the two-sided one to eleven digits: what both share is its cube. */
const onlyOneSide = 1e-4;

/**
 * P(D >= distance) of `count` independent uniform values. Exact up to `exactKolmogorovUpTo`: Marsaglia, Tsang, Wang,
 * "Evaluating Kolmogorov's Distribution", Journal of Statistical Software 8(18), 2003, and in the tail Birnbaum,
 * Tingey, Annals of Mathematical Statistics 22, 1951, eq. 3.0. Above it Kolmogorov's limit.
 */
export function upperKolmogorov(distance: number, count: number): number {
  if (distance <= 0.5 / count) return 1;
  if (distance >= 1) return 0;
  if (count > exactKolmogorovUpTo) return limit(Math.sqrt(count) * distance);
  const oneSided = oneSidedTail(distance, count);
  return distance >= 0.5 || 2 * oneSided < onlyOneSide ? 2 * oneSided : 1 - below(distance, count);
}

/** `2 sum (-1)^(k - 1) exp(-2 k^2 x^2)`; below 1 the same function in its other form, which converges there. */
function limit(x: number): number {
  let sum = 0;
  if (x < 1) {
    for (let k = 1; k <= 20; k++) sum += Math.exp((-((2 * k - 1) ** 2) * Math.PI ** 2) / (8 * x * x));
    return 1 - (Math.sqrt(2 * Math.PI) / x) * sum;
  }
  for (let k = 20; k >= 1; k--) sum += (k % 2 === 1 ? 1 : -1) * Math.exp(-2 * k * k * x * x);
  return 2 * sum;
}

/** `P(D+ >= d) = d sum over j of C(n, j) (d + j / n)^(j - 1) (1 - d - j / n)^(n - j)`, all terms positive. */
function oneSidedTail(d: number, n: number): number {
  let sum = 0;
  for (let j = 0; j <= n * (1 - d); j++) {
    const left = 1 - d - j / n;
    if (left <= 0) continue;
    const choices = gammaln(n + 1) - gammaln(j + 1) - gammaln(n - j + 1);
    sum += Math.exp(choices + (j - 1) * Math.log(d + j / n) + (n - j) * Math.log(left));
  }
  return d * sum;
}

/** P(D < distance): the middle element of a matrix to the n-th power, times n! / n^n. */
function below(distance: number, n: number): number {
  const k = Math.floor(n * distance) + 1;
  const size = 2 * k - 1;
  const h = k - n * distance;
  const start = transition(size, h);
  const powered = power(start, size, n);
  const middle = (k - 1) * size + (k - 1);
  let value = powered.matrix[middle] as number;
  let exponent = powered.exponent;
  for (let i = 1; i <= n; i++) {
    value = (value * i) / n;
    if (value < 1e-140) {
      value *= 1e140;
      exponent -= 140;
    }
  }
  return value * 10 ** exponent;
}

/** Durbin's matrix as Marsaglia, Tsang and Wang have it, row by row. */
function transition(size: number, h: number): Float64Array {
  const matrix = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= Math.min(i + 1, size - 1); j++) matrix[i * size + j] = 1;
  }
  const change = (at: number, by: number) => {
    matrix[at] = (matrix[at] as number) + by;
  };
  for (let i = 0; i < size; i++) {
    change(i * size, -(h ** (i + 1)));
    change((size - 1) * size + i, -(h ** (size - i)));
  }
  change((size - 1) * size, Math.max(0, 2 * h - 1) ** size);
  const factorials = [1];
  for (let g = 1; g <= size; g++) factorials.push((factorials[g - 1] as number) * g);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      const at = i * size + j;
      matrix[at] = (matrix[at] as number) / (factorials[i - j + 1] as number);
    }
  }
  return matrix;
}

interface Scaled {
  readonly matrix: Float64Array;
  /** Times ten to it. */
  readonly exponent: number;
}

/** By squaring, scaled so that nothing leaves the range of a double. */
function power(matrix: Float64Array, size: number, exponent: number): Scaled {
  if (exponent === 1) return { matrix, exponent: 0 };
  const half = power(matrix, size, Math.floor(exponent / 2));
  const squared = multiply(half.matrix, half.matrix, size);
  const product = exponent % 2 === 0 ? squared : multiply(matrix, squared, size);
  const middle = product[((size - 1) / 2) * size + (size - 1) / 2] as number;
  if (middle <= 1e140) return { matrix: product, exponent: 2 * half.exponent };
  return { matrix: product.map((value) => value * 1e-140), exponent: 2 * half.exponent + 140 };
}

function multiply(a: Float64Array, b: Float64Array, size: number): Float64Array {
  const product = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < size; k++) {
      const factor = a[i * size + k] as number;
      if (factor === 0) continue;
      for (let j = 0; j < size; j++) {
        product[i * size + j] = (product[i * size + j] as number) + factor * (b[k * size + j] as number);
      }
    }
  }
  return product;
}
