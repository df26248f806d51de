import type { Comparison, MetricReport } from "../analysis/analysis.ts";

/**
 * Which way a comparison is shown to go, by whatever the plan decides by: the bound of a group-sequential look, else the
 * adjusted p-value, else its own. `open` where no difference is shown at `alpha`.
 */
export function directionOf(
  { goal }: MetricReport,
  { absolute, sequential, adjusted, pValueAdjusted, pValue }: Comparison,
  alpha: number,
): "better" | "worse" | "open" {
  const deciding = adjusted ? adjusted.pValue : (pValueAdjusted ?? pValue);
  const isShown = sequential ? sequential.crossed : deciding !== null && deciding < alpha;
  if (absolute === null || !isShown) return "open";
  return absolute.estimate > 0 === (goal === "increase") ? "better" : "worse";
}
