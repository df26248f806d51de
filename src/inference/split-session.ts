import { InferenceSession, Tensor } from "onnxruntime-node";
import type { ModelInput } from "../domain/model.ts";
import { inputDims, type RaggedBatch, tensorsOf } from "./ragged-batch.ts";
import { sessionOptions } from "./session-options.ts";
import { splitNames } from "./split.ts";

/** What it takes to run a model's two graphs. */
export interface SplitGraphs {
  readonly item: SharedArrayBuffer;
  readonly request: SharedArrayBuffer;
  readonly inputs: readonly ModelInput[];
  readonly outputName: string;
  readonly rowWidth: number;
}

/** A model's item graph and request graph, loaded on the thread that runs them. */
export class SplitSession {
  readonly item: InferenceSession;
  readonly request: InferenceSession;
  readonly #graphs: SplitGraphs;

  private constructor(graphs: SplitGraphs, item: InferenceSession, request: InferenceSession) {
    this.#graphs = graphs;
    this.item = item;
    this.request = request;
  }

  static async open(graphs: SplitGraphs): Promise<SplitSession> {
    // ONNX Runtime refuses a SharedArrayBuffer.
    const item = await InferenceSession.create(new Uint8Array(graphs.item).slice(), sessionOptions);
    const request = await InferenceSession.create(new Uint8Array(graphs.request).slice(), sessionOptions);
    return new SplitSession(graphs, item, request);
  }

  /** `[candidates, rowWidth]`, row-major, from the item inputs of a batch. */
  async itemRows(batch: RaggedBatch): Promise<Float32Array> {
    const feeds = this.#feeds(batch, (input) => input.entity === "item");
    const shape = [batch.candidates, this.#graphs.rowWidth];
    return only(await this.item.run(feeds, [splitNames.itemRows]), splitNames.itemRows, shape);
  }

  /**
   * `[candidates, tasks]`, row-major, from the other inputs of a batch and a slab of items' rows, `[any, rowWidth]`.
   * @param itemRow `int32 [candidates]`: where in the slab each candidate's row lies.
   */
  async score(
    batch: RaggedBatch,
    slab: Float32Array,
    itemRow: Int32Array,
    tasks: number,
  ): Promise<Float32Array<ArrayBuffer>> {
    const { rowWidth, outputName } = this.#graphs;
    const feeds = this.#feeds(batch, (input) => input.entity !== "item");
    feeds[splitNames.itemRows] = new Tensor("float32", slab, [slab.length / rowWidth, rowWidth]);
    feeds[splitNames.itemRow] = new Tensor("int32", itemRow, [itemRow.length]);
    return only(await this.request.run(feeds, [outputName]), outputName, [batch.candidates, tasks]);
  }

  async release(): Promise<void> {
    await this.item.release();
    await this.request.release();
  }

  #feeds(batch: RaggedBatch, wanted: (input: ModelInput) => boolean): Record<string, Tensor> {
    const feeds: Record<string, Tensor> = {};
    const tensors = tensorsOf(this.#graphs.inputs, batch);
    for (const [place, input] of this.#graphs.inputs.entries()) {
      const data = tensors[place];
      if (data === undefined || !wanted(input)) continue;
      const dims = inputDims(input, batch.requests, batch.candidates);
      feeds[input.name] =
        data instanceof Float32Array ? new Tensor("float32", data, dims) : new Tensor("int32", data, dims);
    }
    return feeds;
  }
}

function only(
  outputs: InferenceSession.OnnxValueMapType,
  name: string,
  shape: readonly number[],
): Float32Array<ArrayBuffer> {
  const output = outputs[name];
  if (output?.dims.join() !== shape.join()) {
    throw new Error(
      `expected output ${name} of shape [${shape.join(", ")}], found [${output?.dims.join(", ")}]`,
    );
  }
  return output.data as Float32Array<ArrayBuffer>;
}

/**
 * A batch's probabilities by way of both graphs. The rows lie in the slab the other way round, between rows that no
 * candidate has, so that a request graph that does not follow `item_row` answers otherwise.
 */
export async function scoreBySplit(
  split: SplitSession,
  batch: RaggedBatch,
  tasks: number,
): Promise<Float32Array<ArrayBuffer>> {
  const rows = await split.itemRows(batch);
  const width = rows.length / batch.candidates;
  const slab = new Float32Array((batch.candidates + 2) * width);
  const itemRow = new Int32Array(batch.candidates);
  for (let candidate = 0; candidate < batch.candidates; candidate += 1) {
    const place = batch.candidates - candidate;
    itemRow[candidate] = place;
    slab.set(rows.subarray(candidate * width, (candidate + 1) * width), place * width);
  }
  return split.score(batch, slab, itemRow, tasks);
}
