/** Names beside points, none over another or over a point as far as there is room. */

export interface Point {
  readonly text: string;
  /** In the drawing's units, y downwards. */
  readonly x: number;
  readonly y: number;
}

export interface Placed extends Point {
  readonly anchor: "start" | "end" | "middle";
}

export interface Frame {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

const height = 16;
const characterWidth = 7.6;
const gap = 12;
/** Rows up or down that a name may stand away from its point. */
const steps = [0, -1, 1, -2, 2, -3, 3, -4, 4, -5, 5, -6, 6];

/** One after the other, each at the first free place: to the right of its point, to the left, then a row higher or lower. */
export function placedLabels(points: readonly Point[], frame: Frame): Placed[] {
  const taken: Box[] = points.map(({ x, y }) => ({ x: x - 8, y, width: 16 }));
  return points.map((point) => {
    const width = [...point.text].length * characterWidth;
    const places = steps.flatMap((step) => {
      const y = point.y + step * height;
      const right: Placed = { text: point.text, x: point.x + gap, y, anchor: "start" };
      const left: Placed = { text: point.text, x: point.x - gap, y, anchor: "end" };
      return [right, left];
    });
    const boxOf = ({ x, y, anchor }: Placed): Box => ({ x: anchor === "start" ? x : x - width, y, width });
    const fits = (place: Placed): boolean =>
      isWithin(boxOf(place), frame) && !taken.some((one) => overlap(one, boxOf(place)));
    const inside = places.find((place) => isWithin(boxOf(place), frame));
    const place = places.find(fits) ?? inside ?? { ...point, anchor: "middle" };
    taken.push(boxOf(place));
    return place;
  });
}

function isWithin({ x, y, width }: Box, { left, right, top, bottom }: Frame): boolean {
  return x >= left && x + width <= right && y - height / 2 >= top && y + height / 2 <= bottom;
}

function overlap(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && Math.abs(a.y - b.y) < height;
}
