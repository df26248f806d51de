import type { Experiment } from "../domain/experiment.ts";
import type { LogDesign, ResultRows } from "../measurement/measurement.ts";
import type { DesignSections } from "./design-sections.ts";

export interface DesignFindings {
  readonly sections: DesignSections;
  readonly warnings: readonly string[];
}

/** What to ask the log, and what its answers say. */
export interface AskedDesign {
  readonly design: LogDesign;
  findings(results: ResultRows): DesignFindings | Promise<DesignFindings>;
}

/** The arms that are compared with control, by their places in the document. */
export function comparedArms({ arms }: Experiment): {
  readonly control: number;
  readonly treated: readonly number[];
} {
  const control = arms.findIndex((arm) => arm.control);
  return { control, treated: arms.map((_, place) => place).filter((place) => place !== control) };
}
