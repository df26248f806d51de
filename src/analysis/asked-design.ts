import type { Experiment } from "../domain/experiment.ts";
import {
  type Answer,
  difference,
  type Estimate,
  type Interval,
  relativeLift,
} from "../statistics/statistics.ts";
import type { ResultRow } from "./engine.ts";
import type { LogDesign } from "./log-design.ts";
import type { DesignSections } from "./report-designs.ts";
import type { ReportSections } from "./report-sections.ts";

export interface DesignFindings {
  readonly sections: DesignSections & Pick<ReportSections, "overTime" | "distributions">;
  readonly warnings: readonly string[];
}

/** What to ask the log, and what its answers say. */
export interface AskedDesign {
  readonly design: LogDesign;
  findings(results: Readonly<Record<string, readonly ResultRow[]>>): DesignFindings | Promise<DesignFindings>;
}

/** The arms that are compared with control, by their places in the document. */
export function comparedArms({ arms }: Experiment): {
  readonly control: number;
  readonly treated: readonly number[];
} {
  const control = arms.findIndex((arm) => arm.control);
  return { control, treated: arms.map((_, place) => place).filter((place) => place !== control) };
}

export interface Lift {
  readonly absolute: Interval;
  readonly relative: Interval | null;
  readonly pValue: number;
  readonly standardError: number;
}

/** Two sets of units compared; null where one of them is too small, or nothing varies. */
export function liftOf(
  treated: Answer<Estimate, string>,
  control: Answer<Estimate, string>,
  alpha: number,
): Lift | null {
  if (!treated.ok || !control.ok) return null;
  const tested = difference(treated.value, control.value, alpha);
  if (!tested.ok) return null;
  const relative = relativeLift(treated.value, control.value, alpha);
  return {
    absolute: intervalOf(tested.value),
    relative: relative.ok ? relative.value : null,
    pValue: tested.value.pValue,
    standardError: tested.value.standardError,
  };
}

export function intervalOf({ estimate, ciLow, ciHigh }: Interval): Interval {
  return { estimate, ciLow, ciHigh };
}
