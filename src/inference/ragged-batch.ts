import type { EncodedRequest, ItemTable, Tensor } from "../domain/feature-store.ts";
import type { Model, ModelInput } from "../domain/model.ts";

/**
 * One run's inputs: all tensors in one buffer, so that one transfer hands them to a worker. Which tensor stands where
 * follows from the model's inputs and the two counts, by `tensorPlaces`, on both sides.
 */
export interface RaggedBatch {
  readonly buffer: ArrayBuffer;
  readonly requests: number;
  readonly candidates: number;
}

/** Elements of one input for a run of so many requests and candidates. */
export function inputElements(input: ModelInput, requests: number, candidates: number): number {
  const rows = input.entity === "item" || input.entity === "row" ? candidates : requests;
  return rows * (input.columns ?? 1);
}

/** Shape of one input for a run of so many requests and candidates. */
export function inputDims(input: ModelInput, requests: number, candidates: number): readonly number[] {
  const rows = input.entity === "item" || input.entity === "row" ? candidates : requests;
  return input.columns === undefined ? [rows] : [rows, input.columns];
}

/** Tensors over a batch's buffer, in the order of `inputs`: views, nothing is copied. */
export function tensorsOf(inputs: readonly ModelInput[], batch: RaggedBatch): readonly Tensor[] {
  let offset = 0;
  return inputs.map((input) => {
    const elements = inputElements(input, batch.requests, batch.candidates);
    const at = offset;
    offset += alignedBytes(elements);
    return input.dtype === "float32"
      ? new Float32Array(batch.buffer, at, elements)
      : new Int32Array(batch.buffer, at, elements);
  });
}

/** An empty batch: zeros, every candidate the first request's. */
export function allocateBatch(
  inputs: readonly ModelInput[],
  requests: number,
  candidates: number,
): RaggedBatch {
  const bytes = inputs.reduce(
    (sum, input) => sum + alignedBytes(inputElements(input, requests, candidates)),
    0,
  );
  return { buffer: new ArrayBuffer(bytes), requests, candidates };
}

/**
 * Joins requests into one run of the reference graph: user and context rows one after the other, item rows likewise,
 * and the row input says for each candidate whose it is. Everything is copied, nothing handed away.
 */
export function joinRequests(
  inputs: readonly ModelInput[],
  requests: readonly EncodedRequest[],
): RaggedBatch {
  const batch = allocateBatch(inputs, requests.length, candidatesOf(requests));
  for (const [place, target] of tensorsOf(inputs, batch).entries()) {
    const { entity, columns = 1 } = inputs[place] as ModelInput;
    if (entity === "row") fillRows(target, requests);
    else if (entity === "item") gatherItems(target, place, columns, requests);
    else joinRows(target, place, requests);
  }
  return batch;
}

export function candidatesOf(requests: readonly EncodedRequest[]): number {
  return requests.reduce((sum, request) => sum + request.candidateCount, 0);
}

/** The requests' own rows of input `place`, one after the other. */
export function joinRows(target: Tensor, place: number, requests: readonly EncodedRequest[]): void {
  let offset = 0;
  for (const request of requests) {
    const tensor = request.tensors[place];
    if (tensor === undefined) continue;
    target.set(tensor, offset);
    offset += tensor.length;
  }
}

function gatherItems(
  target: Tensor,
  place: number,
  columns: number,
  requests: readonly EncodedRequest[],
): void {
  let offset = 0;
  for (const { slots, table } of requests) {
    gatherRows(target, offset, table.tensors[place] as Tensor, columns, slots);
    offset += slots.length * columns;
  }
}

/** Copies rows into `target` from `at`. A loop: for rows of a few dozen numbers a view and `set` cost more than that. */
export function gatherRows(
  target: Tensor,
  at: number,
  from: Tensor,
  columns: number,
  rows: ArrayLike<number>,
): void {
  let to = at;
  for (let index = 0; index < rows.length; index++) {
    const start = (rows[index] as number) * columns;
    for (let column = 0; column < columns; column++) target[to++] = from[start + column] as number;
  }
}

/** Says for each candidate whose it is: its request's place in the batch. */
export function fillRows(target: Tensor, requests: readonly EncodedRequest[]): void {
  let offset = 0;
  for (const [row, request] of requests.entries()) {
    target.fill(row, offset, offset + request.candidateCount);
    offset += request.candidateCount;
  }
}

/** Each request's own part of a run's output `[candidates, tasks]`: views, nothing is copied. */
export function splitProbabilities(
  probabilities: Float32Array<ArrayBuffer>,
  tasks: number,
  requests: readonly EncodedRequest[],
): readonly Float32Array<ArrayBuffer>[] {
  let offset = 0;
  return requests.map((request) => {
    const from = offset;
    offset += request.candidateCount * tasks;
    return probabilities.subarray(from, offset);
  });
}

/**
 * Refuses a request whose tensors are not what the model's inputs ask for: joined with others, it would shift their
 * rows, and each would get another's scores.
 * @throws {Error} naming the input: a fault of this program, not of who asked.
 */
export function assertFits(model: Model, { candidateCount, tensors, table, slots }: EncodedRequest): void {
  if (slots.length !== candidateCount) {
    throw new Error(`expected a slot for each of ${candidateCount} candidates, got ${slots.length}`);
  }
  for (const [place, input] of model.inputs.entries()) {
    if (input.entity === "row") continue;
    const isItem = input.entity === "item";
    const tensor = isItem ? table.tensors[place] : tensors[place];
    const elements = (isItem ? slotsOf(table) : 1) * (input.columns ?? 1);
    const typed = input.dtype === "float32" ? tensor instanceof Float32Array : tensor instanceof Int32Array;
    if (!typed || tensor?.length !== elements) {
      throw new Error(
        `${model.name}/${model.version}: expected ${elements} ${input.dtype} for input ${input.name} of one request, got ${tensor?.constructor.name ?? "nothing"} of ${tensor?.length ?? 0}`,
      );
    }
  }
}

function slotsOf(table: ItemTable): number {
  return table.versions.length;
}

/** ONNX Runtime's kernels read fastest from where a cache line begins. */
function alignedBytes(elements: number): number {
  return Math.ceil((elements * 4) / cacheLineBytes) * cacheLineBytes;
}

const cacheLineBytes = 64;
