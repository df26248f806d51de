import type { Measured, Strata } from "../measurement/measurement.ts";
import type { SkewedMoments } from "../statistics/statistics.ts";
import type { SampleRatioReport } from "./report.ts";

/** What health is judged by. */
export interface HealthFindings extends Strata, Pick<Measured, "exposed" | "pasts"> {
  readonly arms: readonly string[];
  readonly units: readonly number[];
  readonly weights: readonly number[];
  readonly control: number;
  readonly srm: SampleRatioReport;
  readonly crossed: number;
  /** By metric, of each arm; a secondary one decides nothing, and a share is skewed as its events are few. */
  readonly skewed: readonly {
    readonly metric: string;
    readonly decides: boolean;
    readonly isShare: boolean;
    readonly arms: readonly SkewedMoments[];
  }[];
}
