import type { Model } from "../../src/domain/model.ts";

/** A model as ranking sees it: its tasks and its value model. */
export function modelWith(over: Pick<Model, "tasks" | "valueModel">): Model {
  return {
    name: "home-control",
    version: "1",
    role: "student",
    surface: "home",
    description: "",
    inputs: [],
    features: [],
    provenance: {},
    ...over,
  };
}
