import type { Arm } from "../domain/experiment.ts";
import type { ModelRef, ValueModelOverride } from "../domain/model.ts";

/** Which model ranks, and what is said over its value model. */
export interface Ranker {
  readonly model: ModelRef;
  readonly surface: ValueModelOverride | undefined;
  readonly arm: ValueModelOverride | undefined;
}

/** The arm's model, if there is an arm; else the surface's own. */
export function rankerOf(
  arm: Pick<Arm, "model" | "valueModel"> | undefined,
  surface: { readonly defaultModel: ModelRef; readonly valueModel?: ValueModelOverride | undefined },
): Ranker {
  return {
    model: arm?.model ?? surface.defaultModel,
    surface: surface.valueModel,
    arm: arm?.valueModel,
  };
}
