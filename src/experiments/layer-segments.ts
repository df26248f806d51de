import type { TrafficRange } from "../domain/experiment.ts";

/** Whose part of a layer a place lies in. */
export class LayerSegments {
  readonly #from: Float64Array;
  readonly #to: Float64Array;
  readonly #owners: readonly number[];
  /** The index of the one that holds the whole layer: nobody's place in it then has to be known. */
  readonly sole: number | undefined;

  /** @param holders what holds ranges of one layer; no two overlap. */
  constructor(holders: readonly { readonly ranges: readonly TrafficRange[]; readonly index: number }[]) {
    const segments = holders
      .flatMap(({ ranges, index }) => ranges.map(({ from, to }) => ({ from, to, index })))
      .sort((a, b) => a.from - b.from);
    this.#from = Float64Array.from(segments, ({ from }) => from);
    this.#to = Float64Array.from(segments, ({ to }) => to);
    this.#owners = segments.map(({ index }) => index);
    const [first] = segments;
    this.sole = first?.from === 0 && first.to === 1 ? first.index : undefined;
  }

  /** The index of the experiment that holds the place; undefined where none does. */
  ownerOf(place: number): number | undefined {
    // The last segment that begins at or before the place.
    let low = 0;
    let high = this.#from.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#from[middle] as number) <= place) low = middle + 1;
      else high = middle;
    }
    return low > 0 && place < (this.#to[low - 1] as number) ? this.#owners[low - 1] : undefined;
  }
}
