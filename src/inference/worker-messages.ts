import type { ModelInput } from "../domain/model.ts";
import type { RaggedBatch } from "./ragged-batch.ts";

/** What a session says of one of its inputs or outputs; undefined where it is no tensor. */
export interface TensorFacts {
  readonly name: string;
  readonly dtype: string | undefined;
  /** A number, or the name of a dynamic dimension. */
  readonly shape: readonly (number | string)[];
}

/** To a worker; one at a time, each but `exit` is answered. `model` is a place in the order of loading. */
export type Order =
  | {
      readonly kind: "load";
      readonly bytes: SharedArrayBuffer;
      readonly inputs: readonly ModelInput[];
      readonly outputName: string;
      readonly tasks: number;
    }
  | { readonly kind: "run"; readonly model: number; readonly batch: RaggedBatch }
  | { readonly kind: "exit" };

/** From a worker. */
export type Reply =
  | {
      readonly kind: "loaded";
      readonly inputs: readonly TensorFacts[];
      readonly outputs: readonly TensorFacts[];
    }
  | {
      readonly kind: "scored";
      /** `[candidates, tasks]`, row-major. */
      readonly probabilities: Float32Array<ArrayBuffer>;
      readonly inferenceMs: number;
    }
  | { readonly kind: "failed"; readonly message: string };
