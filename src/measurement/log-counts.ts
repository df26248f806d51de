/** How much of the log counts, and what of it does not. */
import type { Experiment } from "../domain/experiment.ts";
import { numberIn, type ResultRow } from "./engine.ts";
import type { LogResults } from "./log-statements.ts";

export interface LogCounts {
  /** In the order of the experiment's arms. */
  readonly arms: readonly ArmCounts[];
  /** Units seen in several arms. */
  readonly crossed: number;
  /** Outcomes that answer no known request, or an item that was not shown. */
  readonly unmatched: number;
  /** Outcomes that came after the attribution window. */
  readonly late: number;
  /** Impressions under the request id of an earlier one. */
  readonly repeated: number;
  /** Impressions of other phases, and of arms that the experiment does not have. */
  readonly ofOtherPhases: number;
  readonly ofUnknownArms: number;
}

export interface ArmCounts {
  readonly arm: string;
  readonly units: number;
  readonly impressions: number;
  /** Of these, those that were answered without the arm's model. */
  readonly fallbacks: number;
  /** The models that scored for it, sorted: `home-kd version 1`. */
  readonly models: readonly string[];
}

export function countsIn({ arms }: Experiment, results: LogResults): LogCounts {
  const [totals] = results.totals;
  const impressionsWhere = (holds: (row: ResultRow) => boolean): number =>
    results.served.filter(holds).reduce((sum, row) => sum + numberIn(row, "impressions"), 0);
  const isOf = (place: number) => (row: ResultRow) =>
    (row["arm"] ?? undefined) !== undefined && Number(row["arm"]) === place;
  return {
    arms: arms.map(({ id }, place) => {
      const row = results.arms.find(isOf(place));
      const models = results.served.filter(isOf(place)).filter(({ model }) => typeof model === "string");
      return {
        arm: id,
        units: numberIn(row, "units"),
        impressions: numberIn(row, "impressions"),
        fallbacks: numberIn(row, "fallbacks"),
        models: models.map((one) => `${one["model"]} version ${one["model_version"]}`).sort(),
      };
    }),
    crossed: numberIn(totals, "crossed"),
    unmatched: numberIn(totals, "unmatched"),
    late: results.arms.reduce((sum, row) => sum + numberIn(row, "late"), 0),
    repeated: numberIn(totals, "repeated"),
    ofOtherPhases: impressionsWhere((row) => row["in_phase"] === false),
    ofUnknownArms: impressionsWhere((row) => row["in_phase"] === true && row["known_arm"] === false),
  };
}
