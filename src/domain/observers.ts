import type { Assignment } from "./assignment.ts";
import type { FlagReason } from "./flag.ts";
import type { Breach } from "./guardrail.ts";
import type { Impression } from "./impression.ts";
import type { Comparison } from "./outcome-log.ts";
import type { DegradedReason } from "./rank.ts";
import type { ShadowResult } from "./shadow.ts";

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
