import type { EncodedRequest } from "../domain/feature-store.ts";
import type { FilledSlots } from "./filled-slots.ts";
import type { LoadedModel } from "./loaded-models.ts";
import { joinRequests } from "./ragged-batch.ts";
import { buffersOf } from "./split-batch.ts";
import type { PostedOrder } from "./worker-pool.ts";

/** Joins requests of one model, and of one item table where it runs as two graphs, into an order for a worker. */
export function orderFor(
  { model, place, split }: LoadedModel,
  filled: FilledSlots,
  requests: readonly EncodedRequest[],
): PostedOrder {
  if (!split) {
    const batch = joinRequests(model.inputs, requests);
    return { order: { kind: "run", model: place, batch }, transfer: [batch.buffer] };
  }
  const batch = filled.join(requests);
  return { order: { kind: "run-split", model: place, ...batch }, transfer: buffersOf(batch) };
}
