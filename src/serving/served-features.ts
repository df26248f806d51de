import type { Model } from "../domain/model.ts";
import type { EncodedRequest, Tensor } from "../domain/ports.ts";
import type { CandidateList, RankedItem } from "../domain/rank.ts";
import { encodingName, type ServedFeature, type ServedFeatures } from "../domain/served-features.ts";

/** A request's tensors as a model was given them, kept beyond the run: of items one row a candidate that it scored. */
export interface SeenTensors {
  readonly model: Model;
  readonly rows: number;
  /** In the order of `model.inputs`. */
  readonly tensors: readonly (Tensor | undefined)[];
}

/** Copies what an encoded request names, before it is released. */
export function seenTensors(
  model: Model,
  { candidateCount, tensors, table, slots }: EncodedRequest,
): SeenTensors {
  const ofItems = table.tensors;
  return {
    model,
    rows: candidateCount,
    tensors: model.inputs.map(({ entity, columns }, place) => {
      if (columns === undefined) return undefined;
      return entity === "item" ? gathered(ofItems[place], slots, columns) : tensors[place]?.slice();
    }),
  };
}

/** What each model saw, by feature, of the user, the context and those of the items in their order that it scored. */
export function servedFeatures(
  seen: readonly SeenTensors[],
  candidates: CandidateList,
  items: readonly RankedItem[],
): readonly ServedFeatures[] {
  const places = placesOf(candidates, items);
  return seen.map(({ model, rows, tensors }) => {
    // What was not scored stands behind what was: there are no gaps.
    const scored = places.filter((place) => place < rows);
    const features = model.features.map((spec): ServedFeature => {
      const { name, entity, input, offset, width } = spec;
      const place = model.inputs.findIndex((one) => one.name === input);
      const tensor = tensors[place] as Tensor;
      const columns = model.inputs[place]?.columns as number;
      const ofRows = entity === "item" ? scored : [0];
      const values = like(tensor, ofRows.length * width);
      for (let row = 0, to = 0; row < ofRows.length; row++) {
        const from = (ofRows[row] as number) * columns + offset;
        for (let column = 0; column < width; column++) values[to++] = tensor[from + column] as number;
      }
      return { name, entity, input, encoding: encodingName(spec.encoding), width, values };
    });
    return { model: { name: model.name, version: model.version }, rows: scored.length, features };
  });
}

/** Each item's place among the candidates. */
function placesOf(candidates: CandidateList, items: readonly RankedItem[]): number[] {
  const places = new Map<string, number>();
  for (let place = 0; place < candidates.length; place++) {
    places.set((candidates.at(place) as { readonly id: string }).id, place);
  }
  return items.map(({ id }) => places.get(id) as number);
}

function gathered(from: Tensor | undefined, slots: Int32Array, columns: number): Tensor | undefined {
  if (from === undefined) return undefined;
  const rows = like(from, slots.length * columns);
  for (let index = 0, to = 0; index < slots.length; index++) {
    const start = (slots[index] as number) * columns;
    for (let column = 0; column < columns; column++) rows[to++] = from[start + column] as number;
  }
  return rows;
}

function like(tensor: Tensor, length: number): Tensor {
  return tensor instanceof Float32Array ? new Float32Array(length) : new Int32Array(length);
}
