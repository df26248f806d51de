/** Logs and metrics: what the server says about itself to whoever runs it. */
import type { Logger } from "pino";
import type { Clock } from "../domain/clock.ts";
import type { LogLevel } from "../domain/log-level.ts";
import type { ModelChange } from "../domain/model-life.ts";
import type {
  GuardianObserver,
  MetricsSource,
  RankObserver,
  RequestObserver,
  ShadowObserver,
} from "../domain/observers.ts";
import type { StoreState } from "../domain/store-state.ts";
import { guardianObserver } from "./guardian-observer.ts";
import type { GuardrailMetrics } from "./guardrail-metrics.ts";
import { createLogger } from "./logger.ts";
import { createMetrics, type Metrics, type MetricsSnapshot } from "./metrics.ts";
import { nowAndThen } from "./now-and-then.ts";

export type { CompactionState } from "./compaction-metrics.ts";
export { guardianObserver } from "./guardian-observer.ts";
export type { GuardrailMetrics } from "./guardrail-metrics.ts";
export { createLogger } from "./logger.ts";
export type { MetricsSnapshot } from "./metrics.ts";
export type { ShippingMetrics } from "./shipping-metrics.ts";
export { SummedMetrics } from "./summed-metrics.ts";

export interface Telemetry {
  readonly logger: Logger;
  /** Hand this to serving: it counts rankings and outcomes, and logs what had to be answered with a fallback. */
  readonly observer: RankObserver;
  /** Hand this to the shadow models: it counts what became of their requests, and logs what failed. */
  readonly shadowObserver: ShadowObserver;
  /** Hand this to whoever looks after experiments: it counts and logs breaches and steps. */
  readonly guardianObserver: GuardianObserver;
  readonly guardrailMetrics: GuardrailMetrics;
  /** Hand this, made once, to whoever ships the log. */
  readonly shippingMetrics: Metrics["shipping"];
  /** Hand this to the transports: it counts their answers. */
  readonly requests: RequestObserver;
  readonly metrics: MetricsSource;
  /** The same metrics, for a process that adds up several. */
  readonly snapshot: () => Promise<MetricsSnapshot>;
  /** Hand it the scorer: the metrics then say on what each model runs. */
  readonly watchModels: Metrics["watchModels"];
  readonly watchConcurrency: Metrics["watchConcurrency"];
  readonly watchExperiments: Metrics["watchExperiments"];
  readonly watchCompaction: Metrics["watchCompaction"];
  readonly watchLog: Metrics["watchLog"];
  /** Logs that another state of the store is in effect. */
  readonly experimentsChanged: (state: StoreState) => void;
  /** Counts and logs what becomes of a model's versions. */
  readonly modelChanged: (event: ModelChange) => void;
  /** Counts an inference worker that died; a warning says the same in words. */
  readonly workerDied: Metrics["workerDied"];
}

/** @param options.process as `createLogger`. @param options.destination where log lines go, one JSON object each; standard output where absent. */
export function createTelemetry(options: {
  clock: Clock;
  logLevel: LogLevel;
  process?: number | undefined;
  destination?: { write(line: string): void };
}): Telemetry {
  const logger = createLogger(options);
  const {
    source,
    snapshot,
    ranks,
    shadows,
    requests,
    guardrails,
    shipping,
    watchModels,
    watchConcurrency,
    watchExperiments,
    watchCompaction,
    watchLog,
    modelChanges,
    workerDied,
  } = createMetrics();
  // The counters say how often.
  const seldom = nowAndThen(options.clock);
  return {
    logger,
    requests,
    guardianObserver: guardianObserver(logger, guardrails, options.clock),
    guardrailMetrics: guardrails,
    shippingMetrics: shipping,
    metrics: source,
    snapshot,
    watchModels,
    watchConcurrency,
    watchExperiments,
    watchCompaction,
    watchLog,
    workerDied,
    experimentsChanged({ experiments, killSwitch }) {
      const running = experiments.filter(({ status }) => status === "running");
      const killed = running.filter((one) => one.killed !== undefined).map(({ id }) => id);
      logger.info(
        { running: running.length, killed, killSwitch: killSwitch.on },
        "experiments are in effect",
      );
    },
    modelChanged(event) {
      modelChanges(event.name, event.what);
      const { name: model, version, what, reason, durationMs } = event;
      if (what === "refused") logger.warn({ model, version, reason }, "model version refused");
      else if (what === "serving") logger.info({ model, version, durationMs }, "model version serves");
      else
        logger.info(
          { model, version },
          what === "gone" ? "model version left memory" : "model version retires",
        );
    },
    shadowObserver: {
      compared: shadows.compared,
      settledOtherArm(experiment, result, requestId, error) {
        shadows.settledOtherArm(experiment, result);
        if (result !== "failed" && result !== "unlogged") return;
        seldom(`other arm ${experiment} ${result}`, (heldBack) =>
          logger.warn(
            { requestId, experiment, heldBack, err: error },
            result === "failed"
              ? "another arm's model could not score a request; its answer had left"
              : "the comparison with another arm was not logged",
          ),
        );
      },
      settled(surface, result, requestId, error) {
        shadows.settled(surface, result);
        if (result !== "failed" && result !== "unlogged") return;
        seldom(`shadow ${surface} ${result}`, (heldBack) =>
          logger.warn(
            { requestId, surface, heldBack, err: error },
            result === "failed"
              ? "a shadow model could not score a request; its answer had left"
              : "the comparison with a shadow model was not logged",
          ),
        );
      },
    },
    observer: {
      ranked: ranks.ranked,
      outcomes: ranks.outcomes,
      evaluated: ranks.evaluated,
      exposed: ranks.exposed,
      fellBack(reason, requestId, error) {
        seldom(reason, (heldBack) =>
          logger.warn({ requestId, reason, heldBack, err: error }, "ranking fell back"),
        );
      },
      impressionDropped(requestId, error) {
        ranks.impressionDropped();
        seldom("dropped", (heldBack) =>
          logger.error(
            { requestId, heldBack, err: error },
            "impression was not logged; its answer left nevertheless",
          ),
        );
      },
    },
  };
}
