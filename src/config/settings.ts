import type { ExecutionProvider } from "../domain/execution-provider.ts";
import type { Holdout } from "../domain/experiment.ts";
import type { DeclaredAttributes } from "../domain/feature.ts";
import type { Isolation } from "../domain/isolation.ts";
import type { ShippingSettings } from "../domain/kafka.ts";
import type { Limits } from "../domain/limits.ts";
import type { LogLevel } from "../domain/log-level.ts";
import type { Surfaces } from "../domain/surface.ts";

/** `all`, `latest`, `latest 2` (the two highest), or the versions themselves. */
type VersionPolicy = string | readonly string[];

/** Everything that can be configured, checked, with absolute paths; docs/configuration.md is its page. */
export interface SetlistConfig {
  readonly host: string;
  /** 0 picks a free one. */
  readonly httpPort: number;
  readonly grpcPort: number;
  /** Log, features and experiments; made where it does not exist. */
  readonly dataDir: string;
  /** The model repository. */
  readonly models: string;
  /** The folder of users.parquet and items.parquet. */
  readonly world: string;
  /** The folder of experiment documents. */
  readonly experiments: string;
  readonly experimentStore: {
    /** Of the PostgreSQL that a fleet's servers share, password included; undefined keeps them in the data directory. */
    readonly url?: string | undefined;
  };
  /** Processes that answer, sharing the ports; 1 is a single process that does everything. */
  readonly processes: number;
  readonly logLevel: LogLevel;
  /** How long a draining server serves on, not ready any more, ms. */
  readonly drainDelayMs: number;
  readonly surfaces: Surfaces;
  /** What requests may say of users and contexts; undefined where that is anything. */
  readonly attributes: DeclaredAttributes | undefined;
  /** Shares of units that are kept outside experiments. */
  readonly holdouts: readonly Holdout[];
  readonly limits: Limits;
  readonly log: {
    readonly segmentBytesMax: number;
    /** A segment with records is sealed once it is so old, ms; 0 never. */
    readonly segmentAgeMaxMs: number;
    readonly syncIntervalMs: number;
    /** How long an outcome that is sent again is recognised, ms. */
    readonly dedupeWindowMs: number;
    /** What its ids may take in memory; beyond it, the oldest are forgotten early. */
    readonly dedupeMemoryBytesMax: number;
    /** Impressions that wait in memory while the disk refuses. */
    readonly impressionBufferBytesMax: number;
    /** Segments older than this, ms, are deleted once they may be; undefined keeps them. */
    readonly retentionAgeMs?: number | undefined;
    /** So are the oldest while all segments together are larger. */
    readonly retentionBytesMax?: number | undefined;
    /** Of the requests, those whose features are logged as their models saw them. */
    readonly servedFeatures: { readonly share: number };
    /** How many of the candidates that a request's limit keeps out are logged. */
    readonly candidatesBeyondLimit: number;
    /** Holds the key of the log's pseudonyms; user ids are logged as they are where this and the key are undefined. */
    readonly userIdKeyFile?: string | undefined;
    /** The key itself, where the environment has it: secret, goes before the file. */
    readonly userIdKey?: string | undefined;
  };
  readonly warehouse: {
    /** Whether the server makes Parquet of sealed segments by itself. */
    readonly compact: boolean;
    /** Between two looks for sealed segments, ms. */
    readonly intervalMs: number;
    /** Of the Parquet, as the log's. */
    readonly retentionAgeMs?: number | undefined;
    readonly retentionBytesMax?: number | undefined;
  };
  readonly inference: {
    readonly workers: number;
    /** Whether a worker is a thread of the server or a process of its own. */
    readonly isolation: Isolation;
    readonly batchRowsMax: number;
    readonly queueRequestsMax: number;
    /** How long a request may wait for others to share its run although a worker is idle, microseconds. */
    readonly queueDelayMaxUs: number;
    /** The longest that a request may wait for inference while its queue runs empty now and then, ms. */
    readonly queueWaitMaxMs: number;
    /** The same once runs have not emptied the queue for a while, ms. */
    readonly standingQueueWaitMaxMs: number;
    /** Candidates of a request that are scored while half of that wait is there; the rest keep their order. */
    readonly reducedCandidates: number;
    /** Of every model, most wanted first; what the machine cannot run is passed over for the next. */
    readonly executionProviders: readonly ExecutionProvider[];
    /** Which versions of a model are served beside those that something names. */
    readonly versions: VersionPolicy;
    /** Between two looks at the whole model repository, ms; 0 does not follow it at all. */
    readonly repositoryPollMs: number;
    /** What differs for one model, by its name. */
    readonly perModel: ReadonlyMap<
      string,
      {
        readonly executionProviders?: readonly ExecutionProvider[] | undefined;
        readonly versions?: VersionPolicy | undefined;
      }
    >;
  };
  readonly admission: {
    /** The mean time that answers are held to while more rank requests come than can be answered, ms. */
    readonly answerMsTarget: number;
    /** Rank requests that are never exceeded at a time. */
    readonly inFlightMax: number;
  };
  readonly features: { readonly cacheRowsMax: number };
  readonly guardrails: {
    /** Between two looks at running experiments and their ramps, ms. */
    readonly checkMs: number;
    /** Between two analyses of the log for one experiment's guardrails, ms. */
    readonly logCheckMs: number;
  };
  /** The log sent on to Kafka; off without brokers. */
  readonly shipping: ShippingSettings;
  /** The configuration file that was read. */
  readonly file: string;
  /** What looks like a mistake but is none for certain: to be logged at the start. */
  readonly warnings: readonly string[];
}
