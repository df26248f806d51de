import { Counter, Histogram, type Registry } from "prom-client";
import type { ShadowObserver } from "../domain/observers.ts";
import type { ShadowResult } from "../domain/shadow.ts";
import type { ArmMetrics } from "./arm-metrics.ts";
import { overlapBuckets, scoreDifferenceBuckets, tauBuckets } from "./buckets.ts";

export interface ShadowMetrics extends Pick<ShadowObserver, "compared"> {
  settled(surface: string, result: ShadowResult): void;
  settledOtherArm(experiment: string, result: ShadowResult): void;
}

/** Of what shadow models make of requests; of what other arms do, `arm-metrics.ts`. */
export function shadowMetrics(registry: Registry, arms: ArmMetrics): ShadowMetrics {
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
