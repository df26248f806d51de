/** Gauges of what others know: they are asked whenever the metrics are read. */
import { Gauge, type Registry } from "prom-client";
import type { Clock } from "../domain/clock.ts";
import type { ExperimentStore } from "../domain/experiment-store.ts";
import type { ModelLibrary } from "../domain/model-life.ts";
import type { LogHealth } from "../domain/outcome-log.ts";
import type { Scorer } from "../domain/scorer.ts";

/** What is 1 where something is so: over several processes, 1 where it is so in any. */
const anyOf = "max";

export function experimentMetrics(
  registry: Registry,
  store: Pick<ExperimentStore, "current" | "stale">,
  clock: Pick<Clock, "now">,
): void {
  new Gauge({
    name: "setlist_kill_switch",
    help: "1 while the kill switch is on, and nobody is assigned an arm",
    aggregator: anyOf,
    registers: [registry],
    collect() {
      this.set(store.current().killSwitch.on ? 1 : 0);
    },
  });
  new Gauge({
    name: "setlist_experiment_revisions",
    help: "Revisions of all experiments, of what serves without them and of the kill switch together: every change raises it",
    aggregator: "max",
    registers: [registry],
    collect() {
      const { experiments, surfaces, killSwitch } = store.current();
      const documents = [...experiments, ...surfaces, killSwitch];
      this.set(documents.reduce((sum, { revision }) => sum + revision, 0));
    },
  });
  new Gauge({
    name: "setlist_experiment_store_stale_seconds",
    help: "For how long the experiment store could not be asked, and the last that it said is served; 0 where it can",
    aggregator: anyOf,
    registers: [registry],
    collect() {
      const stale = store.stale();
      this.set(stale === undefined ? 0 : Math.max(0, clock.now() - stale.since) / 1_000);
    },
  });
}

export function logMetrics(registry: Registry, log: LogHealth): void {
  new Gauge({
    name: "setlist_log_refused",
    help: "1 while the disk refuses the outcome log: no outcome is acknowledged, impressions wait in memory",
    registers: [registry],
    collect() {
      this.set(log.trouble() === undefined ? 0 : 1);
    },
  });
  new Gauge({
    name: "setlist_log_impressions_waiting",
    help: "Impressions whose answers left, kept in memory until the disk takes them",
    registers: [registry],
    collect() {
      this.set(log.trouble()?.impressionsWaiting ?? 0);
    },
  });
  new Gauge({
    name: "setlist_log_dedupe_window_seconds",
    help: "How far back outcomes that are sent again are recognised; less than configured where memory does not do",
    registers: [registry],
    collect() {
      this.set(log.dedupeWindowMs / 1_000);
    },
  });
}

export function executionMetrics(registry: Registry, scorer: Pick<Scorer, "models" | "execution">): void {
  new Gauge({
    name: "setlist_model_execution_info",
    help: "1 for the execution provider that runs most of a loaded model's operators; wanted is the one configured first",
    labelNames: ["model", "version", "provider", "wanted"],
    aggregator: anyOf,
    registers: [registry],
    collect() {
      this.reset();
      for (const model of scorer.models()) {
        const execution = scorer.execution(model);
        if (execution === undefined) continue;
        const { provider, configured } = execution;
        this.set(
          { model: model.name, version: model.version, provider, wanted: configured[0] ?? provider },
          1,
        );
      }
    },
  });
}

export function lifeMetrics(registry: Registry, library: Pick<ModelLibrary, "versions" | "labels">): void {
  new Gauge({
    name: "setlist_model_version_state",
    help: "1 for the state of each model version in the repository: available, loading, serving, retiring, refused",
    labelNames: ["model", "version", "state"],
    aggregator: anyOf,
    registers: [registry],
    collect() {
      this.reset();
      for (const { name, version, state } of library.versions()) this.set({ model: name, version, state }, 1);
    },
  });
  new Gauge({
    name: "setlist_model_label_info",
    help: "1 for the version that a model's label stands on",
    labelNames: ["model", "label", "version"],
    aggregator: anyOf,
    registers: [registry],
    collect() {
      this.reset();
      for (const { name, label, version } of library.labels()) this.set({ model: name, label, version }, 1);
    },
  });
}

export function concurrencyMetrics(
  registry: Registry,
  concurrency: { readonly inFlight: number; readonly limit: number },
): void {
  new Gauge({
    name: "setlist_rank_in_flight",
    help: "Rank requests that are being answered",
    registers: [registry],
    collect() {
      this.set(concurrency.inFlight);
    },
  });
  new Gauge({
    name: "setlist_rank_in_flight_limit",
    help: "How many may be at a time; what comes while so many are is refused",
    registers: [registry],
    collect() {
      this.set(concurrency.limit);
    },
  });
}
