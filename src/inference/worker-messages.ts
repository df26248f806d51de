import type { ExecutionProvider } from "../domain/execution-provider.ts";
import type { ModelInput } from "../domain/model.ts";
import type { GraphSource } from "./graph-source.ts";
import type { RaggedBatch } from "./ragged-batch.ts";
import type { SplitBatch } from "./split-batch.ts";
import type { SplitGraphs } from "./split-session.ts";
import type { OperatorCounts } from "./traced-session.ts";

/** What a session says of one of its inputs or outputs; undefined where it is no tensor. */
export interface TensorFacts {
  readonly name: string;
  readonly dtype: string | undefined;
  /** A number, or the name of a dynamic dimension. */
  readonly shape: readonly (number | string)[];
}

/** All inputs and outputs of one graph. */
export interface GraphFacts {
  readonly inputs: readonly TensorFacts[];
  readonly outputs: readonly TensorFacts[];
}

/** To a worker; one at a time, each but `exit` is answered. `model` is the number that `load` gave it. */
export type Order =
  | {
      readonly kind: "load";
      readonly model: number;
      readonly graph: GraphSource;
      readonly providers: readonly ExecutionProvider[];
      readonly inputs: readonly ModelInput[];
      readonly outputName: string;
      readonly tasks: number;
    }
  | { readonly kind: "run"; readonly model: number; readonly batch: RaggedBatch }
  /** The model's two graphs; its own graph makes way for them where it is loaded. */
  | { readonly kind: "load-split"; readonly model: number; readonly graphs: SplitGraphs }
  | ({ readonly kind: "run-split"; readonly model: number } & SplitBatch)
  /** Once it has run: which provider ran how many of its operators. */
  | { readonly kind: "count-operators"; readonly model: number }
  /** Releases its sessions and its slab; a model that was never loaded is no fault. */
  | { readonly kind: "unload"; readonly model: number }
  | { readonly kind: "exit" };

/** From a worker. */
export type Reply =
  | {
      readonly kind: "loaded";
      readonly inputs: readonly TensorFacts[];
      readonly outputs: readonly TensorFacts[];
    }
  | { readonly kind: "split-loaded"; readonly item: GraphFacts; readonly request: GraphFacts }
  | { readonly kind: "unloaded" }
  | { readonly kind: "operators-counted"; readonly operators: OperatorCounts }
  | {
      readonly kind: "scored";
      /** `[candidates, tasks]`, row-major. */
      readonly probabilities: Float32Array<ArrayBuffer>;
      readonly inferenceMs: number;
    }
  /** The run relied on one that failed: it was not begun. */
  | { readonly kind: "stale" }
  | { readonly kind: "failed"; readonly message: string };
