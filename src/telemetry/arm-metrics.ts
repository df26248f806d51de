import { Counter, Histogram, type Registry } from "prom-client";
import type { CounterfactualRecord } from "../domain/counterfactual.ts";
import type { Impression } from "../domain/impression.ts";
import type { ShadowResult } from "../domain/shadow.ts";
import { overlapBuckets } from "./buckets.ts";

/** What is counted of an experiment's arms within one request: those drafted into one answer, and those that look on. */
export interface ArmMetrics {
  drafted(impression: Impression): void;
  compared(record: CounterfactualRecord): void;
  settled(experiment: string, result: ShadowResult): void;
}

export function armMetrics(registry: Registry): ArmMetrics {
  const registers = [registry];
  const labelNames = ["experiment"] as const;
  const competitive = new Histogram({
    name: "setlist_interleaved_competitive_share",
    help: "Share of an interleaved answer's items for which the arms would have picked different ones, by experiment",
    labelNames,
    buckets: overlapBuckets,
    registers,
  });
  const total = new Counter({
    name: "setlist_counterfactual_total",
    help: "Other arms' requests of an experiment's counterfactual share by result: compared, unlogged, skipped, dropped, failed",
    labelNames: ["experiment", "result"],
    registers,
  });
  const differing = new Counter({
    name: "setlist_counterfactual_differing_total",
    help: "Of those compared, how many other arms would have shown another list, by experiment",
    labelNames,
    registers,
  });
  const overlap = new Histogram({
    name: "setlist_counterfactual_overlap",
    help: "Share of the best that the served arm and another have in common, by experiment",
    labelNames,
    buckets: overlapBuckets,
    registers,
  });
  return {
    drafted({ assignments: [acted], interleaving }): void {
      if (acted === undefined || interleaving === undefined) return;
      const { slots } = interleaving;
      const competing = slots.filter((slot) => slot.competitive).length;
      competitive.observe({ experiment: acted.experiment }, competing / slots.length);
    },
    compared({ experiment, ...compared }): void {
      overlap.observe({ experiment }, compared.overlap);
      differing.inc({ experiment }, compared.agreeing < compared.otherIds.length ? 1 : 0);
    },
    settled: (experiment, result) => total.inc({ experiment, result }),
  };
}
