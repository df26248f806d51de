/** Steps within which every bracket has shrunk to two neighbouring doubles. */
const steps = 200;

/**
 * Where a continuous function that rises crosses zero in [low, high]: regula falsi with the Illinois correction
 * (Dowell, Jarratt, BIT 11, 1971), which never leaves the bracket. An end where the sign is already that of the other
 * end is the answer.
 */
export function increasingRoot(f: (x: number) => number, low: number, high: number): number {
  let [a, b] = [low, high];
  let [fa, fb] = [f(a), f(b)];
  if (fa >= 0) return a;
  if (fb <= 0) return b;
  let kept = 0;
  for (let step = 0; step < steps && b - a > 1e-13 * (1 + Math.abs(a)); step++) {
    const inside = (a * fb - b * fa) / (fb - fa);
    // Every fourth step halves: a bend in the curve cannot hold it up.
    const x = step % 4 === 3 || !(inside > a && inside < b) ? (a + b) / 2 : inside;
    const fx = f(x);
    if (fx === 0) return x;
    if (fx < 0) {
      [a, fa] = [x, fx];
      if (kept === 1) fb /= 2;
      kept = 1;
    } else {
      [b, fb] = [x, fx];
      if (kept === -1) fa /= 2;
      kept = -1;
    }
  }
  return (a + b) / 2;
}
