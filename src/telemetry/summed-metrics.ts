import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { MetricsSource } from "../domain/observers.ts";
import type { LogHealth } from "../domain/outcome-log.ts";
import { childMemoryMetrics } from "./child-processes.ts";
import { type CompactionState, compactionMetrics } from "./compaction-metrics.ts";
import { type GuardrailMetrics, guardrailMetrics } from "./guardrail-metrics.ts";
import type { MetricsSnapshot } from "./metrics.ts";
import { type ShippingMetrics, shippingMetrics } from "./shipping-metrics.ts";
import { logMetrics } from "./watched-metrics.ts";

/** How many processes there are, by what they do, and how many have ended unasked. */
export interface ProcessCounts {
  readonly serving: number;
  readonly standby: number;
  readonly starting: number;
  readonly ended: number;
}

/** What is counted from a process's start on, as `type` says it at run time. */
const lasting: readonly unknown[] = ["counter", "histogram"];

/** Of a delay the worst process's, where prom-client would show the mean with those that idle; of starts our own. */
function aggregatorOf(name: string): "max" | "first" | undefined {
  if (name === "process_start_time_seconds") return "first";
  return /^nodejs_eventloop_lag_(?!min)/.test(name) ? "max" : undefined;
}

/**
 * The metrics of several processes as those of one server, by each metric's own aggregator: counters and histograms are
 * added up, and so are gauges but where a sum would say nothing. Counters never go back: of a process that has ended, or
 * does not answer, what it said last is counted on.
 */
export class SummedMetrics {
  readonly contentType: MetricsSource["contentType"];
  /** Of the process that adds up, which looks after the experiments for all. */
  readonly guardrails: GuardrailMetrics;
  readonly #own = new Registry();
  readonly #last = new Map<number, MetricsSnapshot>();
  /** Counters and histograms of the processes that have ended, added up. */
  #ended: Promise<MetricsSnapshot> = Promise.resolve([]);

  constructor(counts: () => ProcessCounts) {
    this.contentType = this.#own.contentType;
    collectDefaultMetrics({ register: this.#own });
    childMemoryMetrics(this.#own);
    this.guardrails = guardrailMetrics(this.#own);
    new Gauge({
      name: "setlist_processes",
      help: "Processes that serve, stand by to replace one, or start",
      labelNames: ["state"],
      registers: [this.#own],
      collect() {
        const { serving, standby, starting } = counts();
        this.set({ state: "serving" }, serving);
        this.set({ state: "standby" }, standby);
        this.set({ state: "starting" }, starting);
      },
    });
    new Counter({
      name: "setlist_process_restarts_total",
      help: "Processes that ended unasked, or could not start, and were started again",
      registers: [this.#own],
      collect() {
        this.reset();
        this.inc(counts().ended);
      },
    });
  }

  /** As `Metrics.shipping`, of the process that adds up, which has the log. */
  shipping(): ShippingMetrics {
    return shippingMetrics(this.#own);
  }

  /** Of the process that adds up, which writes the log. */
  watchCompaction(state: CompactionState): void {
    compactionMetrics(this.#own, state);
  }

  /** Says whether the disk takes the outcome log, which this process writes for all. */
  watchLog(log: LogHealth): void {
    logMetrics(this.#own, log);
  }

  /** What a process says now; its number is never another's. */
  note(process: number, snapshot: MetricsSnapshot): void {
    this.#last.set(process, snapshot);
  }

  ended(process: number): void {
    const last = this.#last.get(process);
    this.#last.delete(process);
    if (last === undefined) return;
    this.#ended = this.#ended.then((before) => {
      const counted = last.filter(({ type }) => lasting.includes(type));
      return AggregatorRegistry.aggregate([[...before], counted]).getMetricsAsJSON();
    });
  }

  async render(): Promise<string> {
    // The first of a name says how all of that name are put together.
    const own = (await this.#own.getMetricsAsJSON()).map((metric) => ({
      ...metric,
      aggregator: aggregatorOf(metric.name) ?? metric.aggregator,
    }));
    const all = [own, await this.#ended, ...this.#last.values()];
    return AggregatorRegistry.aggregate(all).metrics();
  }
}
