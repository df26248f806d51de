import type { InferenceSession } from "onnxruntime-node";
import type { ExecutionProvider } from "../domain/execution-provider.ts";
import type { ModelInput } from "../domain/model.ts";
import { type GraphSource, readGraph } from "./graph-source.ts";
import { ItemSlab } from "./item-slab.ts";
import { type RaggedBatch, tensorsOf } from "./ragged-batch.ts";
import { itemInputs, requestInputs, splitNames } from "./split.ts";
import type { SplitBatch } from "./split-batch.ts";
import { feedsOf, outputOf } from "./tensor-feeds.ts";
import { closeSession, openSession } from "./traced-session.ts";

/** What it takes to run a model's two graphs. */
export interface SplitGraphs {
  readonly item: GraphSource;
  readonly request: GraphSource;
  readonly providers: readonly ExecutionProvider[];
  readonly inputs: readonly ModelInput[];
  readonly outputName: string;
  readonly rowWidth: number;
  readonly tasks: number;
}

/** A model's item graph and request graph and the slab between them, in the worker that runs them. */
export class SplitSession {
  readonly item: InferenceSession;
  readonly request: InferenceSession;
  readonly #graphs: SplitGraphs;
  readonly #itemInputs: readonly ModelInput[];
  readonly #requestInputs: readonly ModelInput[];
  readonly #slab: ItemSlab;
  #endedEpoch = -1;

  private constructor(graphs: SplitGraphs, item: InferenceSession, request: InferenceSession) {
    this.#graphs = graphs;
    this.#itemInputs = itemInputs(graphs.inputs);
    this.#requestInputs = requestInputs(graphs.inputs);
    this.#slab = new ItemSlab(graphs.rowWidth);
    this.item = item;
    this.request = request;
  }

  static async open(graphs: SplitGraphs): Promise<SplitSession> {
    const item = await openSession(await readGraph(graphs.item), graphs.providers);
    const request = await openSession(await readGraph(graphs.request), graphs.providers);
    return new SplitSession(graphs, item, request);
  }

  /** `[candidates, tasks]`, row-major. */
  async score(run: SplitBatch): Promise<Float32Array<ArrayBuffer>> {
    try {
      return await this.#score(run);
    } catch (error) {
      this.#endedEpoch = run.epoch;
      throw error;
    }
  }

  /** Whether the slab may lack rows that a run takes for granted. */
  isStale({ epoch }: SplitBatch): boolean {
    return epoch === this.#endedEpoch;
  }

  async #score({ batch, items, slots }: SplitBatch): Promise<Float32Array<ArrayBuffer>> {
    const slab = this.#slab.tensor(slots);
    if (items !== undefined) await this.#addItems(items);
    const feeds = feedsOf(this.#requestInputs, batch);
    feeds[splitNames.itemRows] = slab;
    const { outputName, tasks } = this.#graphs;
    return outputOf(await this.request.run(feeds, [outputName]), outputName, [batch.candidates, tasks]);
  }

  async release(): Promise<void> {
    await closeSession(this.item);
    await closeSession(this.request);
    this.#slab.free();
  }

  async #addItems(items: RaggedBatch): Promise<void> {
    const [slots] = tensorsOf(this.#itemInputs, items);
    const feeds = feedsOf(this.#itemInputs, items, ({ entity }) => entity === "item");
    const outputs = await this.item.run(feeds, [splitNames.itemRows]);
    const shape = [items.candidates, this.#graphs.rowWidth];
    this.#slab.put(slots as Int32Array, outputOf(outputs, splitNames.itemRows, shape));
  }
}
