import type { LogHealth } from "../domain/ports.ts";
import {
  type CompactionState,
  type GuardrailMetrics,
  type MetricsSnapshot,
  type ProcessCounts,
  type ShippingMetrics,
  SummedMetrics,
} from "../telemetry/telemetry.ts";

type Ask = () => Promise<MetricsSnapshot>;

/** A process that does not say its metrics within this is counted with what it said last. */
const answerMsMax = 1_000;

/** Asks every process that serves for its metrics whenever one is asked for those of all. */
export class CollectedMetrics {
  readonly #asks = new Map<number, Ask>();
  /** Those that owe an answer are not asked again: one that hangs would be owed ever more. */
  readonly #owed = new Map<number, Promise<void>>();
  readonly #sums: SummedMetrics;

  constructor(counts: () => ProcessCounts) {
    this.#sums = new SummedMetrics(counts);
  }

  get guardrails(): GuardrailMetrics {
    return this.#sums.guardrails;
  }

  shipping(): ShippingMetrics {
    return this.#sums.shipping();
  }

  watchCompaction(state: CompactionState): void {
    this.#sums.watchCompaction(state);
  }

  watchLog(log: LogHealth): void {
    this.#sums.watchLog(log);
  }

  join(process: number, ask: Ask): void {
    this.#asks.set(process, ask);
  }

  leave(process: number): void {
    this.#asks.delete(process);
    this.#sums.ended(process);
  }

  async render(): Promise<string> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, answerMsMax);
    await Promise.race([
      late.promise,
      Promise.all([...this.#asks].map(([process, ask]) => this.#note(process, ask))),
    ]);
    clearTimeout(timer);
    return this.#sums.render();
  }

  #note(process: number, ask: Ask): Promise<void> {
    const owed =
      this.#owed.get(process) ??
      ask()
        .then((snapshot) => {
          if (this.#asks.has(process)) this.#sums.note(process, snapshot);
        })
        // One that has ended was counted when it left.
        .catch(() => undefined)
        .finally(() => this.#owed.delete(process));
    this.#owed.set(process, owed);
    return owed;
  }
}
