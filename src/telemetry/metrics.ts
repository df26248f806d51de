import {
  Counter,
  collectDefaultMetrics,
  Histogram,
  type MetricObjectWithValues,
  type MetricValue,
  Registry,
} from "prom-client";
import type { Impression } from "../domain/impression.ts";
import type { ModelLibrary } from "../domain/model-life.ts";
import type {
  Clock,
  ExperimentStore,
  LogHealth,
  MetricsSource,
  RankObserver,
  RequestObserver,
  Scorer,
  ShadowObserver,
} from "../domain/ports.ts";
import type { DegradedReason } from "../domain/rank.ts";
import type { ShadowResult } from "../domain/shadow.ts";
import { type ArmMetrics, armMetrics } from "./arm-metrics.ts";
import {
  candidateBuckets,
  overlapBuckets,
  partSecondsBuckets,
  requestSecondsBuckets,
  scoreDifferenceBuckets,
  tauBuckets,
} from "./buckets.ts";
import { childMemoryMetrics } from "./child-processes.ts";
import { type CompactionState, compactionMetrics } from "./compaction-metrics.ts";
import { type GuardrailMetrics, guardrailMetrics } from "./guardrail-metrics.ts";
import { type ShippingMetrics, shippingMetrics } from "./shipping-metrics.ts";
import { tallyCounter, tallyHistogram } from "./tallies.ts";
import {
  concurrencyMetrics,
  executionMetrics,
  experimentMetrics,
  lifeMetrics,
  logMetrics,
} from "./watched-metrics.ts";

/** Every metric of one process, to be added to those of others. */
export type MetricsSnapshot = readonly MetricObjectWithValues<MetricValue<string>>[];

export interface Metrics {
  readonly source: MetricsSource;
  snapshot(): Promise<MetricsSnapshot>;
  readonly ranks: Pick<RankObserver, "ranked" | "outcomes" | "evaluated" | "exposed"> & {
    impressionDropped(): void;
  };
  readonly shadows: Pick<ShadowObserver, "compared"> & {
    settled(surface: string, result: ShadowResult): void;
    settledOtherArm(experiment: string, result: ShadowResult): void;
  };
  readonly requests: RequestObserver;
  readonly guardrails: GuardrailMetrics;
  /** To be called where the log is shipped, once. */
  shipping(): ShippingMetrics;
  /** Says of each model that is loaded when the metrics are read on what it runs. */
  watchModels(
    scorer: Pick<Scorer, "models" | "execution">,
    library: Pick<ModelLibrary, "versions" | "labels">,
  ): void;
  /** Says how many rank requests are answered at a time, and how many may be. */
  watchConcurrency(concurrency: { readonly inFlight: number; readonly limit: number }): void;
  /** Says whether experiments are off, and how long the store has not been able to look. */
  watchExperiments(store: Pick<ExperimentStore, "current" | "stale">, clock: Pick<Clock, "now">): void;
  /** Says how the log's compaction is. */
  watchCompaction(state: CompactionState): void;
  /** Says whether the disk takes the outcome log; for the process that writes it. */
  watchLog(log: LogHealth): void;
  /** Counts what became of a version. */
  modelChanges(model: string, what: "serving" | "refused" | "retiring" | "gone"): void;
  /** Counts an inference worker that died. */
  workerDied(): void;
}

/**
 * Metrics in a registry of their own, so that two servers in one process never share a counter. Every label's values
 * come from the configuration or from a closed list, never from a request; and histograms, never summaries, so that
 * a fleet's can be added up.
 */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  childMemoryMetrics(registry);
  const arms = armMetrics(registry);
  return {
    source: { contentType: registry.contentType, render: () => registry.metrics() },
    snapshot: () => registry.getMetricsAsJSON(),
    ranks: rankMetrics(registry, arms),
    shadows: shadowMetrics(registry, arms),
    requests: requestMetrics(registry),
    guardrails: guardrailMetrics(registry),
    shipping: () => shippingMetrics(registry),
    watchModels(scorer, library) {
      executionMetrics(registry, scorer);
      lifeMetrics(registry, library);
    },
    watchConcurrency: (concurrency) => concurrencyMetrics(registry, concurrency),
    watchExperiments: (store, clock) => experimentMetrics(registry, store, clock),
    watchCompaction: (state) => compactionMetrics(registry, state),
    watchLog: (log) => logMetrics(registry, log),
    modelChanges: changeMetrics(registry),
    workerDied: deathMetrics(registry),
  };
}

function changeMetrics(registry: Registry): Metrics["modelChanges"] {
  const changes = new Counter({
    name: "setlist_model_changes_total",
    help: "What became of model versions: serving, refused, retiring, gone",
    labelNames: ["model", "what"],
    registers: [registry],
  });
  return (model, what) => changes.inc({ model, what });
}

function deathMetrics(registry: Registry): Metrics["workerDied"] {
  const deaths = new Counter({
    name: "setlist_inference_worker_deaths_total",
    help: "Inference workers that ended unasked; each took the requests of one run",
    registers: [registry],
  });
  return () => deaths.inc();
}

function rankMetrics(registry: Registry, arms: ArmMetrics): Metrics["ranks"] {
  const duration = tallyHistogram({
    name: "setlist_rank_duration_seconds",
    help: "Time in the parts of a rank request together, by surface",
    labelNames: ["surface"],
    buckets: requestSecondsBuckets,
    registry,
  });
  const partDuration = tallyHistogram({
    name: "setlist_rank_part_duration_seconds",
    help: "Time in one part of a rank request, by part",
    labelNames: ["part"],
    buckets: partSecondsBuckets,
    registry,
  });
  const candidates = tallyHistogram({
    name: "setlist_rank_candidates",
    help: "Candidates of a rank request, by surface",
    labelNames: ["surface"],
    buckets: candidateBuckets,
    registry,
  });
  const total = tallyCounter({
    name: "setlist_rank_total",
    help: "Answered rank requests, by surface, model and version; model none where no model scored",
    labelNames: ["surface", "model", "version"],
    registry,
  });
  const degradedAnswers = tallyCounter({
    name: "setlist_rank_degraded_total",
    help: "Reasons for which an answer was less than it could be",
    labelNames: ["reason"],
    registry,
  });
  const defaulted = tallyCounter({
    name: "setlist_rank_defaulted_total",
    help: "Candidates and users that were scored with a model's defaults",
    labelNames: [],
    registry,
  });
  const truncated = tallyCounter({
    name: "setlist_rank_truncated_total",
    help: "Candidates that were not scored, since inference was behind, and kept their order",
    labelNames: [],
    registry,
  });
  const exposures = tallyCounter({
    name: "setlist_assignments_total",
    help: "Assignments that were acted on, by experiment and arm",
    labelNames: ["experiment", "arm"],
    registry,
  });
  const dropped = new Counter({
    name: "setlist_impressions_dropped_total",
    help: "Answers whose impression the log refused",
    registers: [registry],
  });
  const outcomeCounter = new Counter({
    name: "setlist_outcomes_total",
    help: "Outcomes by result; unmatched ones are among the accepted, for a request that the log does not remember",
    labelNames: ["result"],
    registers: [registry],
  });
  for (const result of ["accepted", "duplicate", "rejected", "unmatched"]) outcomeCounter.inc({ result }, 0);
  const evaluations = tallyCounter({
    name: "setlist_flag_evaluations_total",
    help: "Flags evaluated for OpenFeature, by reason: SPLIT, TARGETING_MATCH, DEFAULT, DISABLED",
    labelNames: ["reason"],
    registry,
  });

  return {
    ranked(impression: Impression): void {
      const { surface, model, timings, candidateCount, degraded, assignments } = impression;
      const { assign, features, queue, inference, rank } = timings;
      duration((assign + features + queue + inference + rank) / 1_000, surface);
      partDuration(assign / 1_000, "assign");
      partDuration(features / 1_000, "features");
      partDuration(queue / 1_000, "queue");
      partDuration(inference / 1_000, "inference");
      partDuration(rank / 1_000, "rank");
      candidates(candidateCount, surface);
      total(1, surface, model?.name ?? "none", model?.version ?? "");
      for (const { experiment, arm } of assignments) exposures(1, experiment, arm);
      arms.drafted(impression);
      for (const reason of degraded) {
        const [kind, count] = partsOf(reason);
        degradedAnswers(1, kind);
        if (kind === "defaults") defaulted(count);
        if (kind === "truncated") truncated(count);
      }
    },
    impressionDropped: () => dropped.inc(),
    evaluated: (reason) => evaluations(1, reason),
    exposed: ({ experiment, arm }) => exposures(1, experiment, arm),
    outcomes(accepted, duplicates, rejected, unmatched): void {
      outcomeCounter.inc({ result: "accepted" }, accepted);
      outcomeCounter.inc({ result: "duplicate" }, duplicates);
      outcomeCounter.inc({ result: "rejected" }, rejected);
      outcomeCounter.inc({ result: "unmatched" }, unmatched);
    },
  };
}

function shadowMetrics(registry: Registry, arms: ArmMetrics): Metrics["shadows"] {
  const registers = [registry];
  const labelNames = ["surface"] as const;
  const total = new Counter({
    name: "setlist_shadow_total",
    help: "Requests of a shadow model's share by result: compared, unlogged, skipped, dropped, failed",
    labelNames: ["surface", "result"],
    registers,
  });
  const tau = new Histogram({
    name: "setlist_shadow_tau",
    help: "Kendall's tau-b of the served and the shadow model's scores of one request's candidates, by surface",
    labelNames,
    buckets: tauBuckets,
    registers,
  });
  const overlap = new Histogram({
    name: "setlist_shadow_overlap",
    help: "Share of the best that the served and the shadow model have in common, by surface",
    labelNames,
    buckets: overlapBuckets,
    registers,
  });
  const difference = new Histogram({
    name: "setlist_shadow_score_difference",
    help: "Mean absolute difference of a candidate's served and shadow score in one request, by surface",
    labelNames,
    buckets: scoreDifferenceBuckets,
    registers,
  });
  return {
    compared(comparison): void {
      if (comparison.kind === "counterfactual") {
        arms.compared(comparison);
        return;
      }
      const { surface } = comparison;
      if (comparison.tau !== undefined) tau.observe({ surface }, comparison.tau);
      overlap.observe({ surface }, comparison.overlap);
      difference.observe({ surface }, comparison.scoreDifference);
    },
    settled: (surface, result) => total.inc({ surface, result }),
    settledOtherArm: arms.settled,
  };
}

function requestMetrics(registry: Registry): RequestObserver {
  const total = tallyCounter({
    name: "setlist_requests_total",
    help: "Answers by transport, route and code (an HTTP status, or the name of a gRPC status)",
    labelNames: ["transport", "route", "code"],
    registry,
  });
  const duration = tallyHistogram({
    name: "setlist_request_duration_seconds",
    help: "From a request's arrival to its answer, by transport and route",
    labelNames: ["transport", "route"],
    buckets: requestSecondsBuckets,
    registry,
  });
  return {
    answered(transport, route, code, durationMs): void {
      total(1, transport, route, code);
      if (durationMs !== undefined) duration(durationMs / 1_000, transport, route);
    },
  };
}

/** `defaults:12` is the reason `defaults`, 12 times: the number would be a label without bound. */
function partsOf(reason: DegradedReason): [kind: string, count: number] {
  const colon = reason.indexOf(":");
  return colon < 0 ? [reason, 0] : [reason.slice(0, colon), Number(reason.slice(colon + 1))];
}
