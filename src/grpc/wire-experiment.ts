import type { Arm, Experiment } from "../domain/experiment.ts";
import type { ValueModelOverride } from "../domain/model.ts";

/** An experiment as the contract has it: what its messages cannot say by being there or not has a field of its own. */
export function wireExperiment(experiment: Experiment): object {
  return { ...experiment, arms: experiment.arms.map(wireValueModel) };
}

/** A list in protobuf cannot be empty and said: an override that says that there is no diversity says so beside it. */
export function wireValueModel<T extends { readonly valueModel?: ValueModelOverride | undefined }>(
  one: T,
): T {
  const { valueModel } = one;
  if (valueModel?.diversity === undefined || valueModel.diversity.length > 0) return one;
  return { ...one, valueModel: { ...valueModel, noDiversity: true } };
}

/** The same in the other direction, for whoever writes: a document as JSON would have it, not yet checked. */
export function documentOfWire(wire: object): object {
  const { arms = [] } = wire as { readonly arms?: readonly object[] };
  return { ...wire, arms: arms.map(armOfWire) };
}

function armOfWire(wire: object): object {
  const { valueModel, ...arm } = wire as Partial<Arm> & {
    valueModel?: ValueModelOverride & { noDiversity?: boolean };
  };
  if (valueModel === undefined) return arm;
  const { noDiversity, ...said } = valueModel;
  return { ...arm, valueModel: noDiversity === true ? { ...said, diversity: [] } : said };
}
