import { amount } from "./format.ts";
import type { MinimumEffectReport } from "./report-sections.ts";

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
