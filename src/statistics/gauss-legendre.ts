/** Gauss-Legendre quadrature in panels: exact for polynomials of degree 39 on each, so that smooth densities keep 13 digits. */

/** Where a function is to be known, ascending, and what each value counts in its integral. */
export interface Quadrature {
  readonly nodes: Float64Array;
  readonly weights: Float64Array;
}

const order = 20;
const half = order / 2;
const unit = unitRule();

/** Over [low, high], in as many equal panels as keep each within `panelWidth`. */
export function gaussLegendre(low: number, high: number, panelWidth: number): Quadrature {
  const panels = Math.max(1, Math.ceil((high - low) / panelWidth));
  const width = (high - low) / panels;
  const nodes = new Float64Array(panels * order);
  const weights = new Float64Array(panels * order);
  for (let at = 0; at < nodes.length; at++) {
    const middle = low + (Math.floor(at / order) + 0.5) * width;
    nodes[at] = middle + ((unit.nodes[at % order] as number) * width) / 2;
    weights[at] = ((unit.weights[at % order] as number) * width) / 2;
  }
  return { nodes, weights };
}

/** On [-1, 1]: the zeros of the Legendre polynomial by Newton's method, weights `2 / ((1 - x^2) P'(x)^2)`. */
function unitRule(): Quadrature {
  const nodes = new Float64Array(order);
  const weights = new Float64Array(order);
  for (let at = 0; at < half; at++) {
    let x = Math.cos((Math.PI * (at + 0.75)) / (order + 0.5));
    for (let step = 0; step < 8; step++) {
      const [value, derivative] = legendre(x);
      x -= value / derivative;
    }
    const slope = legendre(x)[1];
    nodes[at] = -x;
    nodes[order - 1 - at] = x;
    weights[at] = 2 / ((1 - x * x) * slope * slope);
    weights[order - 1 - at] = weights[at] as number;
  }
  return { nodes, weights };
}

/** The polynomial of degree `order` and its derivative, by the three-term recurrence. */
function legendre(x: number): [value: number, derivative: number] {
  let before = 1;
  let value = x;
  for (let degree = 2; degree <= order; degree++) {
    [before, value] = [value, ((2 * degree - 1) * x * value - (degree - 1) * before) / degree];
  }
  return [value, (order * (before - x * value)) / (1 - x * x)];
}
