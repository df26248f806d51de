/**
 * What the core asks of the world around it. `app.ts` is the only place where these meet their implementations.
 */
import type { Experiment, ExperimentRevision } from "./experiment.ts";
import type { Impression } from "./impression.ts";
import type { Model, ModelRef, ModelVersion } from "./model.ts";
import type { Outcome } from "./outcome.ts";
import type { DegradedReason, RankRequest } from "./rank.ts";

/** Time. `now` is ms since 1970, UTC; `monotonic` is ms from an arbitrary start and never goes back. */
export interface Clock {
  now(): number;
  monotonic(): number;
}

/** Uniform in [0, 1), seeded where a run has to repeat itself. */
export interface Random {
  next(): number;
}

/**
 * One request's tensors, in the order of `model.inputs`: user and context inputs have one row, item inputs one row a
 * candidate, all row-major; the place of the `row` input is undefined, since only the batch knows it.
 */
export interface EncodedRequest {
  readonly candidateCount: number;
  readonly tensors: readonly (Float32Array | Int32Array | undefined)[];
  /** Candidates, and the user, of which neither the request nor the store knew a feature that the model asks for. */
  readonly defaultedCount: number;
  /** True where the store could not be asked: everything not in the request is a default. */
  readonly storeUnavailable: boolean;
}

/** Turns a request into tensors: a feature comes from the request, else the store, else the model's default. */
export interface FeatureStore {
  /** @throws {SetlistError} INVALID_ARGUMENT where an inline feature does not fit the model, naming it. */
  encode(model: Model, request: RankRequest): Promise<EncodedRequest>;
  close(): Promise<void>;
}

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
  /**
   * @param deadline on the monotonic clock, ms.
   * @throws {SetlistError} DEADLINE_EXCEEDED at the deadline; RESOURCE_EXHAUSTED where the queue is full;
   *   UNAVAILABLE where inference failed or the model is gone. The caller has a fallback for each.
   */
  score(model: ModelVersion, request: EncodedRequest, deadline: number): Promise<Scores>;
  close(): Promise<void>;
}

/** Where experiments are kept. */
export interface ExperimentStore {
  list(): readonly Experiment[];
  get(id: string): Experiment | undefined;
  history(id: string): readonly ExperimentRevision[];
  close(): void;
}

export type LogRecord = Impression | Outcome;

export interface AppendedOutcomes {
  readonly accepted: number;
  readonly duplicates: number;
  readonly unmatched: number;
}

/** The append-only log of what was shown and what came of it. */
export interface OutcomeLog {
  /** Resolves once the impression would survive the end of this process. */
  appendImpression(impression: Impression): Promise<void>;
  /**
   * Resolves once every new outcome is synced to the disk; an outcome whose id is known is counted, not written.
   * `unmatched` counts those of the accepted whose request is not among the latest impressions that the log remembers.
   * @throws {SetlistError} UNAVAILABLE where the disk refuses: then nothing is acknowledged.
   */
  appendOutcomes(outcomes: readonly Outcome[]): Promise<AppendedOutcomes>;
  /** Syncs and seals. */
  close(): Promise<void>;
}

/** What a finished rank request tells whoever counts: metrics, logs. */
export interface RankObserver {
  ranked(impression: Impression): void;
  /** A fault that was answered with a fallback: the request went well, somebody should know nevertheless. */
  fellBack(reason: DegradedReason, requestId: string, error: unknown): void;
  /** An impression that the log refused; its answer left all the same. */
  impressionDropped(requestId: string, error: unknown): void;
  outcomes(accepted: number, duplicates: number, rejected: number, unmatched: number): void;
}

/** Whether to send this server traffic: not while models load and warm, nor from the first moment of a drain. */
export type ReadinessState = "starting" | "ready" | "draining";

export interface Readiness {
  state(): ReadinessState;
  /** Calls `listener` with every later state. */
  onChange(listener: (state: ReadinessState) => void): void;
}

/**
 * What a transport tells whoever counts, once an answer is made. `route` and `code` come from closed lists.
 * `durationMs` is undefined where nothing arrived that it could count from: bytes that are no request.
 */
export interface RequestObserver {
  answered(transport: "http" | "grpc", route: string, code: string, durationMs: number | undefined): void;
}

/** The metrics as a scraper reads them. */
export interface MetricsSource {
  readonly contentType: string;
  render(): Promise<string>;
}
