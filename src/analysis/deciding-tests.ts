/** The tests by which a report decides, for units that are dealt to arms anew. */
import type { DecidingTests } from "../designs/designs.ts";
import type { Experiment } from "../domain/experiment.ts";
import { logMeasure, variablesOf } from "../measurement/measurement.ts";
import { difference, jointAmong } from "../statistics/statistics.ts";
import { decidingPair, isDifferenceShown } from "./decision.ts";
import { familyOf, horizonOf } from "./plan.ts";

export function decidingTests(experiment: Experiment, alpha: number, asOf: Date): DecidingTests {
  const control = experiment.arms.findIndex((arm) => arm.control);
  return (units) => {
    const horizon = horizonOf(experiment.plan, units, asOf, alpha, familyOf(experiment));
    return (layout, arm) => {
      const variables = variablesOf(layout);
      return (arms) => {
        const measure = logMeasure(
          layout,
          arms.map((moments) => jointAmong(moments, variables)),
        );
        const pair = decidingPair(measure, arm, control);
        const tested = pair && difference(pair.treated, pair.control, alpha);
        if (pair === undefined || tested?.ok !== true) return undefined;
        return {
          pValue: tested.value.pValue,
          isAdjusted: measure.cuped?.adjusted.ok === true,
          isShown: isDifferenceShown(pair, tested.value, alpha, horizon),
        };
      };
    };
  };
}
