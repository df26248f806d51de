import {
  Counter,
  collectDefaultMetrics,
  type MetricObjectWithValues,
  type MetricValue,
  Registry,
} from "prom-client";
import type { Clock } from "../domain/clock.ts";
import type { ExperimentStore } from "../domain/experiment-store.ts";
import type { ModelChange, ModelLibrary } from "../domain/model-life.ts";
import type { MetricsSource, RequestObserver } from "../domain/observers.ts";
import type { LogHealth } from "../domain/outcome-log.ts";
import type { Scorer } from "../domain/scorer.ts";
import { armMetrics } from "./arm-metrics.ts";
import { childMemoryMetrics } from "./child-processes.ts";
import { type CompactionState, compactionMetrics } from "./compaction-metrics.ts";
import { type GuardrailMetrics, guardrailMetrics } from "./guardrail-metrics.ts";
import { type RankMetrics, rankMetrics } from "./rank-metrics.ts";
import { requestMetrics } from "./request-metrics.ts";
import { type ShadowMetrics, shadowMetrics } from "./shadow-metrics.ts";
import { type ShippingMetrics, shippingMetrics } from "./shipping-metrics.ts";
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
  readonly ranks: RankMetrics;
  readonly shadows: ShadowMetrics;
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
  modelChanges(model: string, what: ModelChange["what"]): void;
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
