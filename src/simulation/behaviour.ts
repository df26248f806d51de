import type { Random } from "../domain/clock.ts";
import type { Surface } from "./world.ts";

/** Something that a listener did with the item at `place` (from 0) of what was shown. */
export interface Act {
  readonly place: number;
  readonly type: "click" | "completion" | "skip" | "like";
}

/**
 * Draws what a listener does with everything shown, item by item and top down. `probabilities` is the truth's
 * `[shown, 3] float32`: position bias is in it already. At home nothing is completed that was not clicked; on the
 * radio a track is heard out, skipped, or lost to silence; and nothing is liked that was not heard out. The recipe
 * that trains the models draws its logs by the same rules.
 *
 * Three draws an item, whatever they come to, so that one item's fate never shifts another's.
 */
export function drawActs(surface: Surface, probabilities: Float32Array, random: Random): Act[] {
  const acts: Act[] = [];
  for (let place = 0; place * 3 < probabilities.length; place++) {
    const [first, second, third] = probabilities.subarray(place * 3, place * 3 + 3) as unknown as Triple;
    const draws: Triple = [random.next(), random.next(), random.next()];
    const completed =
      surface === "home" ? home(acts, place, draws, first, second) : radio(acts, place, draws, first, second);
    if (completed && draws[2] < third) acts.push({ place, type: "like" });
  }
  return acts;
}

type Triple = [number, number, number];

function home(acts: Act[], place: number, draws: Triple, click: number, completion: number): boolean {
  if (draws[0] >= click) return false;
  acts.push({ place, type: "click" });
  if (draws[1] >= completion) return false;
  acts.push({ place, type: "completion" });
  return true;
}

/** One draw decides between the two, since they exclude each other. */
function radio(acts: Act[], place: number, draws: Triple, completion: number, skip: number): boolean {
  if (draws[0] < completion) {
    acts.push({ place, type: "completion" });
    return true;
  }
  if (draws[0] < completion + skip) acts.push({ place, type: "skip" });
  return false;
}
