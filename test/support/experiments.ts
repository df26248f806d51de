import type { Arm, Experiment, ExperimentDocument } from "../../src/domain/experiment.ts";
import { revise } from "../../src/experiments/experiments.ts";

export function arm(id: string, over: Partial<Arm> = {}): Arm {
  return { id, control: id === "control", weight: 1, model: { name: `home-${id}` }, ...over };
}

/** A running experiment with two equal arms and the whole of its layer, but for what `over` says. */
export function documentWith(over: Partial<ExperimentDocument> = {}): ExperimentDocument {
  const id = over.id ?? "exp";
  return {
    id,
    description: "",
    surface: "home",
    layer: "ranker",
    unit: "user",
    salt: id,
    traffic: 1,
    status: "running",
    arms: [arm("control"), arm("treated")],
    overrides: {},
    metrics: [],
    ...over,
  };
}

/** The same as the store would keep it, beside its layer mates. */
export function experimentWith(
  over: Partial<ExperimentDocument> = {},
  mates: readonly Experiment[] = [],
): Experiment {
  return revise(undefined, documentWith(over), mates);
}

/** What a server serves that documents are held against: surfaces, models, attributes. */
export const servedHouse = {
  surfaces: ["home", "radio"],
  models: [
    { name: "home-control", version: "1", surface: "home", tasks: ["click", "completion"] },
    { name: "home-kd", version: "1", surface: "home", tasks: ["click"] },
    { name: "home-treated", version: "1", surface: "home", tasks: ["click"] },
    { name: "radio-kd", version: "1", surface: "radio", tasks: ["click"] },
  ],
  itemFeatures: ["artist"],
  attributes: { user: { country: "string", age: "number" }, context: { device: "string" } },
} as const;

export const noAttributes = { user: {}, context: {} };
