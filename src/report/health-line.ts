import type { AnalysisReport } from "../analysis/analysis.ts";
import { count, plainPercent, probability } from "../analysis/format.ts";

/** Whether the split is what was promised: without that nothing else can be trusted. */
export function healthLine({ arms, srm }: AnalysisReport): string {
  const total = arms.reduce((sum, arm) => sum + arm.units, 0);
  const split = arms.map((arm, i) => {
    const share = total === 0 ? "" : ` = ${plainPercent(arm.units / total)}`;
    return `${arm.arm} ${count(arm.units)}${share} (expected ${plainPercent(srm.expected[i] ?? 0)})`;
  });
  const state = srm.ok ? "ok" : "SAMPLE RATIO MISMATCH";
  const tested = srm.pValue === null ? "not testable yet" : `${state}, p ${probability(srm.pValue)}`;
  return `Health   split ${tested}: ${split.join(", ")}`;
}
