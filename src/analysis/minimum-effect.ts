/**
 * Is there an effect that matters? "No difference shown" does not say: it may be that nobody knows yet, or that whatever there
 * is is too small to care for.
 */

import { amount } from "../domain/number-text.ts";
import type { Measure } from "../measurement/measurement.ts";
import { type Estimate, notWorse } from "../statistics/statistics.ts";
import { type Horizon, oneSidedTest } from "./plan.ts";
import type { MinimumEffectReport } from "./report-sections.ts";

/**
 * Two one-sided tests, each at alpha: that the gain is below the minimum, and that the harm is (Schuirmann, Journal of
 * Pharmacokinetics and Biopharmaceutics 15(6), 1987; both together prove equivalence). The first one's other end proves that
 * the gain is at least the minimum. Undefined where there is no test.
 * @param size as a share of control.
 */
export function judgeMinimumEffect(
  treated: Estimate,
  control: Estimate,
  goal: Measure["goal"],
  size: number,
  alpha: number,
  horizon: Horizon,
): MinimumEffectReport | undefined {
  const test = oneSidedTest(alpha, horizon);
  const opposite = goal === "increase" ? "decrease" : "increase";
  const gain = notWorse(treated, control, { goal: opposite, kind: "relative", size }, test);
  const harm = notWorse(treated, control, { goal, kind: "relative", size }, test);
  if (!gain.ok || !harm.ok) return undefined;
  const stateOf = (): MinimumEffectReport["state"] => {
    if (gain.value.pValueWorse < alpha) return "reached";
    if (gain.value.pValue >= alpha) return "open";
    return harm.value.pValue < alpha ? "equivalent" : "ruled-out";
  };
  return { size, state: stateOf() };
}

/** One sentence, without its full stop. */
export function minimumEffectWords({ size, state }: MinimumEffectReport): string {
  const minimum = `the minimum effect of interest, ${amount(100 * size)} %`;
  switch (state) {
    case "reached":
      return `the gain is at least ${minimum}`;
    case "equivalent":
      return `the effect is smaller than ${minimum}, either way`;
    case "ruled-out":
      return `a gain of ${minimum}, is ruled out`;
    case "open":
      return `a gain of ${minimum}, is neither shown nor ruled out`;
  }
}
