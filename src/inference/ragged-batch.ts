import type { Model, ModelInput } from "../domain/model.ts";
import type { EncodedRequest } from "../domain/ports.ts";

/**
 * One run's inputs: all tensors in one buffer, so that one transfer hands them to a worker. Which tensor stands where
 * follows from the model's inputs and the two counts, by `tensorPlaces`, on both sides.
 */
export interface RaggedBatch {
  readonly buffer: ArrayBuffer;
  readonly requests: number;
  readonly candidates: number;
}

export type BatchTensor = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;

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
export function tensorsOf(inputs: readonly ModelInput[], batch: RaggedBatch): readonly BatchTensor[] {
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
 * Joins requests into one run: user and context rows one after the other, item rows likewise, and the row input says
 * for each candidate whose it is. The requests' own tensors are copied, never handed away: they stay the caller's.
 */
export function joinRequests(
  inputs: readonly ModelInput[],
  requests: readonly EncodedRequest[],
): RaggedBatch {
  const candidates = requests.reduce((sum, request) => sum + request.candidateCount, 0);
  const batch = allocateBatch(inputs, requests.length, candidates);
  for (const [place, target] of tensorsOf(inputs, batch).entries()) {
    if (inputs[place]?.entity === "row") {
      fillRows(target, requests);
      continue;
    }
    let offset = 0;
    for (const request of requests) {
      const tensor = request.tensors[place];
      if (tensor === undefined) continue;
      target.set(tensor, offset);
      offset += tensor.length;
    }
  }
  return batch;
}

function fillRows(target: BatchTensor, requests: readonly EncodedRequest[]): void {
  let offset = 0;
  for (const [row, request] of requests.entries()) {
    target.fill(row, offset, offset + request.candidateCount);
    offset += request.candidateCount;
  }
}

/** Each request's own part of a run's output `[candidates, tasks]`, copied: nobody sees another's scores. */
export function splitProbabilities(
  probabilities: Float32Array<ArrayBuffer>,
  tasks: number,
  requests: readonly EncodedRequest[],
): readonly Float32Array<ArrayBuffer>[] {
  let offset = 0;
  return requests.map((request) => {
    const from = offset;
    offset += request.candidateCount * tasks;
    return probabilities.slice(from, offset);
  });
}

/**
 * Refuses a request whose tensors are not what the model's inputs ask for: joined with others, it would shift their
 * rows, and each would get another's scores.
 * @throws {Error} naming the input: a fault of this program, not of who asked.
 */
export function assertFits(model: Model, request: EncodedRequest): void {
  for (const [place, input] of model.inputs.entries()) {
    const tensor = request.tensors[place];
    if (input.entity === "row") continue;
    const elements = inputElements(input, 1, request.candidateCount);
    const typed = input.dtype === "float32" ? tensor instanceof Float32Array : tensor instanceof Int32Array;
    if (!typed || tensor?.length !== elements) {
      throw new Error(
        `${model.name}/${model.version}: expected ${elements} ${input.dtype} for input ${input.name} of one request, got ${tensor?.constructor.name ?? "nothing"} of ${tensor?.length ?? 0}`,
      );
    }
  }
}

/** ONNX Runtime's kernels read fastest from where a cache line begins. */
function alignedBytes(elements: number): number {
  return Math.ceil((elements * 4) / cacheLineBytes) * cacheLineBytes;
}

const cacheLineBytes = 64;
