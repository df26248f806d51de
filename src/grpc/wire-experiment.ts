import type { Arm, Experiment } from "../domain/experiment.ts";

/** An experiment as the contract has it: what its messages cannot say by being there or not has a field of its own. */
export function wireExperiment(experiment: Experiment): object {
  return { ...experiment, arms: experiment.arms.map(wireArm) };
}

/** A list in protobuf cannot be empty and said: an override that says that there is no diversity says so beside it. */
function wireArm(arm: Arm): object {
  const { valueModel } = arm;
  if (valueModel?.diversity === undefined || valueModel.diversity.length > 0) return arm;
  return { ...arm, valueModel: { ...valueModel, noDiversity: true } };
}
