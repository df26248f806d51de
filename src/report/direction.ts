import type { Comparison, MetricReport } from "../analysis/analysis.ts";

/**
 * Which way a comparison is shown to go, by whatever the plan decides by: the bound of a group-sequential look, else the
 * adjusted p-value; with CUPED where there is one, as that is what decided. `open` where no difference is
 * shown at `alpha`.
 */
export function directionOf(
  { goal }: MetricReport,
  { absolute, cuped, sequential, adjusted }: Comparison,
  alpha: number,
): "better" | "worse" | "open" {
  const isShown = sequential?.crossed ?? (adjusted.pValue !== null && adjusted.pValue < alpha);
  const effect = cuped?.absolute ?? absolute;
  if (effect === null || !isShown) return "open";
  return effect.estimate > 0 === (goal === "increase") ? "better" : "worse";
}
