import { adjustedCoverage } from "./adjusted-coverage.ts";
import { checks } from "./checks.ts";
import { coverage } from "./coverage.ts";
import { falsePositives } from "./false-positives.ts";
import { health } from "./health.ts";
import { looks } from "./looks.ts";
import { peeking } from "./peeking.ts";
import { plannedPower, powerCurve } from "./planned-power.ts";
import { roles } from "./roles.ts";
import type { Scenario } from "./scenario.ts";
import { segments } from "./segments.ts";
import { withoutArms } from "./without-arms.ts";

/** All that the correctness bar names, in the order of the page. */
export const scenarios: readonly Scenario[] = [
  ...falsePositives,
  ...coverage,
  ...adjustedCoverage,
  ...peeking,
  ...looks,
  ...plannedPower,
  ...powerCurve,
  ...roles,
  ...segments,
  ...health,
  ...checks,
  ...withoutArms,
];
