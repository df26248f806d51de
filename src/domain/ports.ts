/**
 * What the core asks of the world around it. `app.ts` is the only place where these meet their implementations.
 */

import type { Assignment, KeptArm } from "./assignment.ts";
import type { CounterfactualRecord } from "./counterfactual.ts";
import type { ModelExecution } from "./execution-provider.ts";
import type { Experiment } from "./experiment.ts";
import type { FlagReason } from "./flag.ts";
import type { Breach } from "./guardrail.ts";
import type { Impression } from "./impression.ts";
import type { Model, ModelRef, ModelVersion } from "./model.ts";
import type { Outcome } from "./outcome.ts";
import type { DegradedReason, RankRequest } from "./rank.ts";
import type { ShadowComparison, ShadowResult } from "./shadow.ts";
import type {
  KillSwitch,
  Revision,
  Staleness,
  StoreChange,
  StoreState,
  SurfaceDefault,
} from "./store-state.ts";

/** Time. `now` is ms since 1970, UTC; `monotonic` is ms from an arbitrary start and never goes back. */
export interface Clock {
  now(): number;
  monotonic(): number;
}

/** Uniform in [0, 1), seeded where a run has to repeat itself. */
export interface Random {
  next(): number;
}

export type Tensor = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;

/** Encoded rows of items, as one model has them: a row stands in one slot of every tensor. */
export interface ItemTable {
  /**
   * In the order of `model.inputs`, undefined for what is no item input: `[slots, columns]`, row-major. They are replaced
   * as the table grows: ask anew in every task.
   */
  readonly tensors: readonly (Tensor | undefined)[];
  /** `[slots]`: never 0 for a row that was written, and another number whenever a slot gets another row. */
  readonly versions: Uint32Array;
}

/**
 * One request's tensors, in the order of `model.inputs`: user and context inputs, each one row, row-major. The item
 * inputs stay where they are kept, in `table`, at `slots`; the `row` input only the batch knows.
 */
export interface EncodedRequest {
  readonly candidateCount: number;
  readonly tensors: readonly (Tensor | undefined)[];
  readonly table: ItemTable;
  /** `[candidates]`: each candidate's slot; it holds this row until `release`. */
  readonly slots: Int32Array;
  /** Candidates, and the user, of which neither the request nor the store knew a feature that the model asks for. */
  readonly defaultedCount: number;
  /** True where the store could not be asked: everything not in the request is a default. */
  readonly storeUnavailable: boolean;
  /** Lets the slots be used again. To be called once, by whoever scores. */
  release(): void;
}

/** Turns a request into tensors: a feature comes from the request, else the store, else the model's default. */
export interface FeatureStore {
  /** @throws {SetlistError} INVALID_ARGUMENT where an inline feature does not fit the model, naming it. */
  encode(model: Model, request: RankRequest): Promise<EncodedRequest>;
  close(): Promise<void>;
}

/** What the store says of items by name, for the steps that compare items with one another; no model is needed. */
export interface ItemLabels {
  /**
   * One an id, in their order: the item's value of a feature as text, of a list the first; undefined where the store
   * knows none.
   * @throws {Error} where the store cannot be asked.
   */
  labels(feature: string, ids: readonly string[]): Promise<readonly (string | undefined)[]>;
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

/**
 * Where experiments are kept, with every revision. What stands is held in memory, so that nobody who answers requests
 * waits for a store: it is at most a second behind what others wrote, and where the store cannot be asked the last that
 * was read stays, marked stale.
 */
export interface ExperimentStore {
  /** What stands, by reference: another object exactly where something changed. */
  current(): StoreState;
  /** The experiments of `current`. */
  list(): readonly Experiment[];
  get(id: string): Experiment | undefined;
  /**
   * Looks at what really stands, for whoever has to see what somebody else wrote a moment ago; `current` says it too
   * then. Where the store cannot be asked that is the last that was read, and `stale` says why.
   */
  refresh(): Promise<StoreState>;
  /** Undefined where `current` is no older than it may be. */
  stale(): Staleness | undefined;
  /**
   * Calls `listener` with every later `current`, whoever wrote it, once it is in place; several writes may come as one.
   * @returns ends that.
   */
  onChange(listener: (state: StoreState) => void): () => void;
  /**
   * The one way in which anything is written. Calls `change` with what really stands, nobody else writing meanwhile, and
   * keeps what it answers: all of it or none. `change` is pure and may be called again; what it throws is thrown, and
   * nothing is kept then. A change that holds nothing writes nothing.
   * @param who for the history.
   * @returns what stands afterwards: `current` says it too by then, and listeners here have heard of it.
   * @throws {SetlistError} ABORTED where a document is not one revision above what stands; UNAVAILABLE where the store
   *   cannot be written now.
   */
  write(who: string, change: (standing: StoreState) => StoreChange): Promise<StoreState>;
  /** Every revision of one experiment, oldest first; none where it is unknown. @throws {SetlistError} UNAVAILABLE. */
  history(id: string): Promise<readonly Revision<Experiment>[]>;
  /** The same of a surface's default. */
  surfaceHistory(surface: string): Promise<readonly Revision<SurfaceDefault>[]>;
  /** The same of the kill switch. */
  killSwitchHistory(): Promise<readonly Revision<KillSwitch>[]>;
  close(): Promise<void>;
}

/** What another model made of an answered request: a shadow's, or another arm's. */
export type Comparison = ShadowComparison | CounterfactualRecord;

export type LogRecord = Impression | Outcome | Comparison;

/** The arms that units of sticky experiments were shown first. */
export interface StickyArms {
  /** Quick, and never throws: what cannot be read was not kept. */
  get(experiment: string, unit: string): KeptArm | undefined;
  /** From now on `get` answers with it; on the disk a little later. */
  keep(assignment: Assignment): void;
  close(): Promise<void>;
}

export interface AppendedOutcomes {
  readonly accepted: number;
  readonly duplicates: number;
  readonly unmatched: number;
}

/** The disk refuses the outcome log. */
export interface LogTrouble {
  /** What the disk says. */
  readonly reason: string;
  /** Ms since 1970: since when nothing could be written. */
  readonly since: number;
  /** Impressions whose answers left, kept in memory until the disk takes them. */
  readonly impressionsWaiting: number;
}

/** How the outcome log is, for whoever runs the server. */
export interface LogHealth {
  /** Undefined where the disk takes what is written. */
  trouble(): LogTrouble | undefined;
  /** How far back outcomes that are sent again are recognised, ms. */
  readonly dedupeWindowMs: number;
}

/** The append-only log of what was shown, what came of it, and what shadow models and other arms would have shown. */
export interface OutcomeLog {
  /**
   * Resolves once the impression would survive the end of this process; while the disk refuses, once it is kept in memory.
   * @throws {SetlistError} UNAVAILABLE where no more may wait there.
   */
  appendImpression(impression: Impression): Promise<void>;
  /**
   * Resolves once every new outcome is synced to the disk; an outcome whose id is known is counted, not written.
   * `unmatched` counts those of the accepted whose request is not among the latest impressions that the log remembers.
   * @throws {SetlistError} UNAVAILABLE where the disk refuses: then nothing is acknowledged.
   */
  appendOutcomes(outcomes: readonly Outcome[]): Promise<AppendedOutcomes>;
  /**
   * Resolves once the comparison would survive the end of this process.
   * @throws {SetlistError} UNAVAILABLE where the disk refuses: it is then not in the log.
   */
  appendShadow(comparison: Comparison): Promise<void>;
  /** Syncs and seals. */
  close(): Promise<void>;
}

/** A place in a log: where a record's frame begins, or where the next one will. */
export interface LogPlace {
  readonly segment: number;
  /** The segment's own random number; undefined where the segment has not been looked at yet. */
  readonly salt: number | undefined;
  /** Bytes from the segment's start. */
  readonly offset: number;
}

export interface PlacedRecord {
  readonly record: LogRecord;
  readonly place: LogPlace;
  /** Of the record in the log, its frame included. */
  readonly bytes: number;
}

/** How much of a segment that is still being written is known to be on the disk. */
export interface SyncedEnd {
  readonly segment: number;
  readonly bytes: number;
}

/** Reads a log on and on, in its order, and only what no power cut takes back. */
export interface LogTail {
  /**
   * The next records, some dozens; none where there are no more for now.
   * @throws {SetlistError} INTERNAL at a damaged record, naming segment, offset and record.
   */
  next(): Promise<readonly PlacedRecord[]>;
  /** Behind the last record that `next` has answered: where another tail would go on. */
  readonly place: LogPlace;
  /** Bytes of the log that are on the disk from a place on, headers and seals included. */
  bytesBehind(place: LogPlace): Promise<number>;
  close(): Promise<void>;
}

/**
 * The log as Parquet files in the layout of docs/outcome-log-format.md, as absolute paths: every record is in exactly one
 * of them. They stay as they are while they are being read.
 */
export interface LogFiles {
  readonly impressions: readonly string[];
  readonly outcomes: readonly string[];
  readonly shadows: readonly string[];
  readonly counterfactuals: readonly string[];
  /** Retention has removed records from before this time, ms since 1970, UTC; undefined where nothing is gone. */
  readonly missingBefore: number | undefined;
}

/** What a finished rank request tells whoever counts: metrics, logs. */
export interface RankObserver {
  ranked(impression: Impression): void;
  /** A fault that was answered with a fallback: the request went well, somebody should know nevertheless. */
  fellBack(reason: DegradedReason, requestId: string, error: unknown): void;
  /** An impression that the log refused; its answer left all the same. */
  impressionDropped(requestId: string, error: unknown): void;
  outcomes(accepted: number, duplicates: number, rejected: number, unmatched: number): void;
  /** A flag that was evaluated: computed, so no exposure. */
  evaluated(reason: FlagReason): void;
  /** An assignment that a client says it acted on. */
  exposed(assignment: Assignment): void;
}

/**
 * What became of the requests that a shadow model, or another arm, was to score. None of it was of any moment to their
 * answers.
 */
export interface ShadowObserver {
  compared(comparison: Comparison): void;
  /** Each request of the share, once. `error` comes with `failed` and `unlogged`. */
  settled(surface: string, result: ShadowResult, requestId: string, error?: unknown): void;
  /** Each request of an experiment's share, once for each other arm; otherwise as `settled`. */
  settledOtherArm(experiment: string, result: ShadowResult, requestId: string, error?: unknown): void;
}

/** What whoever looks after running experiments did, for whoever counts and logs. */
export interface GuardianObserver {
  /** It was acted on. */
  breached(experiment: string, breach: Breach): void;
  recovered(experiment: string, guardrail: string): void;
  stepped(experiment: string, traffic: number): void;
  /** Something could not be looked at or written; the next check tries again. */
  failed(what: string, error: unknown): void;
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
