import type { Comparison, MetricReport } from "../analysis/analysis.ts";

/**
 * Which way a comparison is shown to go, by whatever the plan decides by: the bound of a group-sequential look, else the
 * adjusted p-value, else its own; with CUPED where there is one, as that is what decided. `open` where no difference is
 * shown at `alpha`.
 */
export function directionOf(
  { goal }: MetricReport,
  { absolute, cuped, sequential, adjusted, pValueAdjusted, pValue }: Comparison,
  alpha: number,
): "better" | "worse" | "open" {
  const deciding = adjusted ? adjusted.pValue : (pValueAdjusted ?? pValue);
  const isShown = sequential ? sequential.crossed : deciding !== null && deciding < alpha;
  const effect = cuped?.absolute ?? absolute;
  if (effect === null || !isShown) return "open";
  return effect.estimate > 0 === (goal === "increase") ? "better" : "worse";
}
