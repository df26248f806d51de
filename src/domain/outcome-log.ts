import type { CounterfactualRecord } from "./counterfactual.ts";
import type { Impression } from "./impression.ts";
import type { Outcome } from "./outcome.ts";
import type { ShadowComparison } from "./shadow.ts";

/** What another model made of an answered request: a shadow's, or another arm's. */
export type Comparison = ShadowComparison | CounterfactualRecord;

export type LogRecord = Impression | Outcome | Comparison;

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
