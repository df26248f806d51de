import { coverage } from "./coverage.ts";
import { falsePositives } from "./false-positives.ts";
import { health } from "./health.ts";
import { peeking } from "./peeking.ts";
import { plannedPower, powerCurve } from "./planned-power.ts";
import type { Scenario } from "./scenario.ts";
import { withoutArms } from "./without-arms.ts";

/** All that the correctness bar names, in the order of the page. */
export const scenarios: readonly Scenario[] = [
  ...falsePositives,
  ...coverage,
  ...peeking,
  ...plannedPower,
  ...powerCurve,
  ...health,
  ...withoutArms,
];
