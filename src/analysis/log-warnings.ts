/** What a reader has to know of the log behind the numbers, a sentence each. */

import type { Experiment } from "../domain/experiment.ts";
import { counted } from "../domain/number-text.ts";
import type { LogCounts } from "../measurement/measurement.ts";

export function logWarnings(experiment: Experiment, counts: LogCounts): string[] {
  const { arms, crossed, late, ofOtherPhases, ofUnknownArms } = counts;
  const warnings: string[] = [];
  if (arms.every((arm) => arm.units === 0)) {
    warnings.push(
      `No data: the log holds no impression of ${experiment.id} in phase ${experiment.phase}` +
        `${experiment.status === "running" ? "" : `, and the experiment is ${experiment.status}`}.`,
    );
  }
  if (crossed > 0) {
    warnings.push(`${counted(crossed, "unit was", "units were")} seen in more than one arm: left out.`);
  }
  warnings.push(...unmatchedWarnings(counts));
  if (late > 0) {
    warnings.push(
      `${counted(late, "outcome")} came later than ${experiment.attributionWindow} after what ` +
        `${late === 1 ? "it answers" : "they answer"} (the attribution window): not counted.`,
    );
  }
  warnings.push(...repeatedWarnings(counts));
  for (const { arm, models } of arms) {
    if (models.length < 2) continue;
    warnings.push(
      `Arm ${arm} was served by ${models.join(" and ")} in this phase: name the arm's model version, so ` +
        "that a new one starts a new phase.",
    );
  }
  if (ofOtherPhases > 0) {
    warnings.push(
      `${counted(ofOtherPhases, "impression belongs", "impressions belong")} to other phases of the experiment: not counted.`,
    );
  }
  if (ofUnknownArms > 0) {
    warnings.push(
      `${counted(ofUnknownArms, "impression carries", "impressions carry")} an arm that the experiment does not have: not counted.`,
    );
  }
  for (const { arm, impressions, fallbacks } of arms) {
    if (fallbacks === 0) continue;
    warnings.push(
      `Arm ${arm}: ${fallbacks} of ${impressions} impressions were answered without its model; they stay in the arm.`,
    );
  }
  return warnings;
}

export function unmatchedWarnings({ unmatched }: LogCounts): string[] {
  if (unmatched === 0) return [];
  return [
    `${counted(unmatched, "outcome answers", "outcomes answer")} no known request, or an item that ` +
      "was not shown: not counted.",
  ];
}

export function repeatedWarnings({ repeated }: LogCounts): string[] {
  if (repeated === 0) return [];
  return [
    `${counted(repeated, "impression repeats", "impressions repeat")} the request id of an earlier one: ` +
      "not counted.",
  ];
}
