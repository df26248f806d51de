import type { Random } from "../src/domain/clock.ts";
import type { EncodedRequest } from "../src/domain/feature-store.ts";
import type { Model } from "../src/domain/model.ts";
import { FilledSlots } from "../src/inference/filled-slots.ts";
import { joinRequests } from "../src/inference/ragged-batch.ts";
import type { StoredModel } from "../src/inference/repository.ts";
import type { Order } from "../src/inference/worker-messages.ts";
import { drawTensor } from "./drawn-tensors.ts";

/** Candidates of a usual request. */
const requestCandidates = 200;

/** How many candidates each request of a batch of so many rows has: usual requests, and one with the rest. */
export function requestSizes(rows: number): readonly number[] {
  const rest = rows % requestCandidates;
  const whole = Array.from({ length: Math.floor(rows / requestCandidates) }, () => requestCandidates);
  return rest === 0 ? whole : [...whole, rest];
}

/**
 * So many batches of random requests over one table of so many items, each batch of so many rows.
 * @returns for each batch its requests, as a feature store would have encoded them.
 */
export function drawBatches(
  { manifest, golden }: StoredModel,
  { batches, rows, items }: { batches: number; rows: number; items: number },
  random: Random,
): readonly (readonly EncodedRequest[])[] {
  const { model } = manifest;
  const draw = (entities: readonly string[], count: number) =>
    model.inputs.map((input, place) =>
      entities.includes(input.entity)
        ? drawTensor(model, input, count, golden?.tensors[place], random)
        : undefined,
    );
  const table = { tensors: draw(["item"], items), versions: new Uint32Array(items).fill(1) };
  return Array.from({ length: batches }, () =>
    requestSizes(rows).map((candidateCount) => ({
      candidateCount,
      tensors: draw(["user", "context"], 1),
      table,
      slots: Int32Array.from({ length: candidateCount }, () => Math.floor(random.next() * items)),
      defaultedCount: 0,
      storeUnavailable: false,
      release: () => undefined,
    })),
  );
}

/** What a worker is sent for some batches of one table: first to fill its slab, then again and again. */
export interface BatchOrders {
  readonly filling: readonly Order[];
  readonly measured: readonly Order[];
}

export function wholeOrders(
  place: number,
  model: Model,
  batches: readonly (readonly EncodedRequest[])[],
): BatchOrders {
  const measured = batches.map(
    (requests): Order => ({ kind: "run", model: place, batch: joinRequests(model.inputs, requests) }),
  );
  return { filling: [], measured };
}

/** Once the slab has the rows of the items, a batch brings none. */
export function splitOrders(
  place: number,
  model: Model,
  batches: readonly (readonly EncodedRequest[])[],
): BatchOrders {
  const filled = new FilledSlots(model.inputs);
  const join = (requests: readonly EncodedRequest[]): Order => ({
    kind: "run-split",
    model: place,
    ...filled.join(requests),
  });
  return { filling: batches.map(join), measured: batches.map(join) };
}
