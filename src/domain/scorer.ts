import type { ModelExecution } from "./execution-provider.ts";
import type { EncodedRequest } from "./feature-store.ts";
import type { Model, ModelRef, ModelVersion } from "./model.ts";

/** `probabilities` is `[candidates, tasks] float32`, row-major; the times are ms. */
export interface Scores {
  readonly probabilities: Float32Array;
  readonly queueMs: number;
  readonly inferenceMs: number;
}

/** Runs models away from the thread that answers. */
export interface Scorer {
  /** The loaded version that a reference means, undefined where none is loaded. */
  resolve(ref: ModelRef): Model | undefined;
  /** Every loaded version. */
  models(): readonly Model[];
  /** On what a loaded version runs, undefined where it is not loaded. */
  execution(model: ModelVersion): ModelExecution | undefined;
  /** Candidates of one request that had better be scored now: fewer than all while it is behind. */
  candidatesMax(): number;
  /**
   * Releases the request once it is settled, however.
   * @param deadline on the monotonic clock, ms.
   * @param signal aborted where nobody waits for the scores any more: a scorer may then settle however it likes, and
   *   should not run the model for it.
   * @throws {SetlistError} DEADLINE_EXCEEDED at the deadline; RESOURCE_EXHAUSTED where the queue is full;
   *   UNAVAILABLE where inference failed or the model is gone. The caller has a fallback for each.
   */
  score(
    model: ModelVersion,
    request: EncodedRequest,
    deadline: number,
    signal?: AbortSignal,
  ): Promise<Scores>;
  /**
   * Scores for nobody who waits, in short runs, each once a worker would stand still and no request waits for one.
   * Releases the request once it is settled, however. Answers the probabilities `[candidates, tasks]`.
   * @throws {SetlistError} RESOURCE_EXHAUSTED where no worker was to spare for long; UNAVAILABLE where inference failed
   *   or the model is gone.
   */
  scoreSpare(model: ModelVersion, request: EncodedRequest): Promise<Float32Array>;
  close(): Promise<void>;
}
