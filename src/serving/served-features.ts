import type { EncodedRequest, Tensor } from "../domain/feature-store.ts";
import type { Model } from "../domain/model.ts";
import type { Candidate, CandidateList, RankedItem } from "../domain/rank.ts";
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

/** Of one request's values: half of what a record of the log may have. */
const servedBytesMax = 8 * 1024 * 1024;

/**
 * What each model saw, by feature, of the user, the context and those of the items in their order that it scored;
 * undefined where that is more than a record should hold, such as long embeddings of thousands of items.
 */
export function servedFeatures(
  seen: readonly SeenTensors[],
  candidates: CandidateList,
  items: readonly RankedItem[],
): readonly ServedFeatures[] | undefined {
  const places = placesOf(candidates, items);
  const parts = seen.map(({ model, rows, tensors }) => {
    // What was not scored stands behind what was: there are no gaps.
    const scored = places.filter((place) => place < rows);
    const plan = planOf(model);
    const bytes =
      4 * plan.reduce((sum, { entity, width }) => sum + (entity === "item" ? scored.length : 1) * width, 0);
    return { model, tensors, scored, plan, bytes };
  });
  if (parts.reduce((sum, { bytes }) => sum + bytes, 0) > servedBytesMax) return undefined;
  return parts.map(({ model, tensors, scored, plan, bytes }) => {
    // One piece of memory for all values: a piece for each took as long as filling them.
    const memory = new ArrayBuffer(bytes);
    let used = 0;
    const features = plan.map(({ place, columns, offset, ...feature }): ServedFeature => {
      const tensor = tensors[place] as Tensor;
      const { width } = feature;
      const ofRows = feature.entity === "item" ? scored : firstRow;
      const values = like(tensor, memory, used, ofRows.length * width);
      used += values.byteLength;
      for (let row = 0, to = 0; row < ofRows.length; row++) {
        const from = (ofRows[row] as number) * columns + offset;
        for (let column = 0; column < width; column++) values[to++] = tensor[from + column] as number;
      }
      return { ...feature, values };
    });
    return { model: { name: model.name, version: model.version }, rows: scored.length, features };
  });
}

const firstRow = Int32Array.of(0);

/** A feature as it is logged but for its values, and where in the tensors those stand. */
interface PlannedFeature extends Omit<ServedFeature, "values"> {
  readonly place: number;
  readonly columns: number;
  readonly offset: number;
}

/** Worked out once a model: the name of an encoding hashes every word of a vocabulary. */
const plans = new WeakMap<Model, readonly PlannedFeature[]>();

function planOf(model: Model): readonly PlannedFeature[] {
  let plan = plans.get(model);
  if (plan === undefined) {
    plan = model.features.map(({ name, entity, input, offset, width, encoding }) => {
      const place = model.inputs.findIndex((one) => one.name === input);
      const columns = model.inputs[place]?.columns as number;
      return { name, entity, input, encoding: encodingName(encoding), width, place, columns, offset };
    });
    plans.set(model, plan);
  }
  return plan;
}

/** Each item's place among the candidates. */
function placesOf(candidates: CandidateList, items: readonly RankedItem[]): Int32Array {
  const ranks = new Map<string, number>();
  for (let rank = 0; rank < items.length; rank++) ranks.set((items[rank] as RankedItem).id, rank);
  const places = new Int32Array(items.length);
  for (let place = 0; place < candidates.length; place++) {
    const rank = ranks.get((candidates.at(place) as Candidate).id);
    if (rank !== undefined) places[rank] = place;
  }
  return places;
}

function gathered(from: Tensor | undefined, slots: Int32Array, columns: number): Tensor | undefined {
  if (from === undefined) return undefined;
  const rows = like(from, new ArrayBuffer(4 * slots.length * columns), 0, slots.length * columns);
  for (let index = 0, to = 0; index < slots.length; index++) {
    const start = (slots[index] as number) * columns;
    for (let column = 0; column < columns; column++) rows[to++] = from[start + column] as number;
  }
  return rows;
}

function like(tensor: Tensor, memory: ArrayBuffer, from: number, length: number): Tensor {
  return tensor instanceof Float32Array
    ? new Float32Array(memory, from, length)
    : new Int32Array(memory, from, length);
}
