import type { EncodedRequest, FeatureStore, Tensor } from "../../src/domain/feature-store.ts";
import type { Model } from "../../src/domain/model.ts";
import type { RankRequest } from "../../src/domain/rank.ts";

/** A request from whole tensors, those at `itemPlaces` with one row a candidate, in a table of its own. */
export function encodedRequest(
  candidateCount: number,
  tensors: readonly (Tensor | undefined)[],
  itemPlaces: readonly number[],
): EncodedRequest {
  const ofItems = (place: number): boolean => itemPlaces.includes(place);
  return {
    candidateCount,
    tensors: tensors.map((tensor, place) => (ofItems(place) ? undefined : tensor)),
    table: {
      tensors: tensors.map((tensor, place) => (ofItems(place) ? tensor : undefined)),
      versions: new Uint32Array(candidateCount).fill(1),
    },
    slots: Int32Array.from({ length: candidateCount }, (_, slot) => slot),
    defaultedCount: 0,
    storeUnavailable: false,
    release: () => undefined,
  };
}

/** What a request's item inputs would be, one row a candidate, beside its other tensors. */
export function wholeTensors(model: Model, request: EncodedRequest): (Tensor | undefined)[] {
  return model.inputs.map(({ entity, columns = 1 }, place) => {
    if (entity !== "item") return request.tensors[place];
    const from = request.table.tensors[place] as Tensor;
    const rows = [...request.slots].flatMap((slot) => [
      ...from.subarray(slot * columns, (slot + 1) * columns),
    ]);
    return from instanceof Float32Array ? Float32Array.from(rows) : Int32Array.from(rows);
  });
}

/** What an encoding says, item rows copied out of the store's table; its slots are given back. */
export async function encodedBy(store: FeatureStore, model: Model, request: RankRequest) {
  const encoded = await store.encode(model, request);
  const tensors = wholeTensors(model, encoded);
  encoded.release();
  const { candidateCount, defaultedCount, storeUnavailable } = encoded;
  return { candidateCount, tensors, defaultedCount, storeUnavailable };
}

/** A request that no model reads anything of. */
export const emptyRequest: EncodedRequest = encodedRequest(0, [], []);
