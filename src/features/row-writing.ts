import { invalidArgument } from "../domain/error.ts";
import type { FeatureSpec, Features, FeatureValue } from "../domain/feature.ts";
import type { Tensor } from "../domain/feature-store.ts";
import type { EntityPlan, PlannedFeature } from "./encoder-plan.ts";
import { expectationOf } from "./value-encoding.ts";

type Tensors = readonly (Tensor | undefined)[];

/** The context's one row: the request's values, defaults elsewhere. @throws {SetlistError} INVALID_ARGUMENT. */
export function writeContext(plan: EntityPlan, tensors: Tensors, features: Features): void {
  for (const feature of plan.features) writeFallback(feature, tensors, 0);
  writeInline(plan, tensors, 0, features, () => "context.features");
}

/**
 * Writes row `row` as the store has it, defaults elsewhere; a stored value that does not fit is reported to `misfit`.
 * Returns the places of the features that are defaults.
 */
export function writeStored(
  plan: EntityPlan,
  tensors: Tensors,
  row: number,
  id: string,
  stored: Features | undefined,
  misfit: (spec: FeatureSpec, expected: string, id: string) => void,
): readonly number[] {
  const defaulted: number[] = [];
  for (const [index, feature] of plan.features.entries()) {
    const { spec } = feature;
    const value = spec.name === "id" ? id : stored?.[spec.name];
    if (value !== undefined && writeFeature(feature, tensors, row, value)) continue;
    if (value !== undefined) misfit(spec, expectationOf(spec), id);
    writeFallback(feature, tensors, row);
    defaulted.push(index);
  }
  return defaulted.length === 0 ? none : defaulted;
}

/**
 * Lets the request's own values go before the row's; `field` names them in messages. Returns how many features remain
 * defaults.
 * @throws {SetlistError} INVALID_ARGUMENT where a value does not fit its feature.
 */
export function override(
  plan: EntityPlan,
  tensors: Tensors,
  row: number,
  features: Features,
  defaulted: readonly number[],
  field: () => string,
): number {
  const given = writeInline(plan, tensors, row, features, field);
  return defaulted.filter((index) => !given.includes(index)).length;
}

/** @throws {SetlistError} INVALID_ARGUMENT. Returns the places of the features that were written. */
function writeInline(
  plan: EntityPlan,
  tensors: Tensors,
  row: number,
  features: Features,
  field: () => string,
): readonly number[] {
  const written: number[] = [];
  for (const [name, value] of Object.entries(features)) {
    for (const index of plan.named.get(name) ?? none) {
      const feature = plan.features[index] as PlannedFeature;
      if (!writeFeature(feature, tensors, row, value)) {
        throw invalidArgument(
          `${field()}.${name}: expected ${expectationOf(feature.spec)}, got ${describe(value)}`,
        );
      }
      written.push(index);
    }
  }
  return written;
}

function writeFeature(feature: PlannedFeature, tensors: Tensors, row: number, value: FeatureValue): boolean {
  return feature.write(value, tensors[feature.place] as Tensor, row * feature.stride + feature.offset);
}

function writeFallback(feature: PlannedFeature, tensors: Tensors, row: number): void {
  tensors[feature.place]?.set(feature.fallback, row * feature.stride + feature.offset);
}

function describe(value: FeatureValue): string {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  const stranger = values.find((one) => typeof one === "number" && !Number.isFinite(Math.fround(one)));
  if (stranger !== undefined) return `${stranger}, which no float32 can hold`;
  if (!Array.isArray(value)) return JSON.stringify(value);
  const kinds = new Set(values.map((one) => typeof one));
  return `an array of ${values.length} ${kinds.size === 1 ? `${[...kinds][0]}s` : "values"}`;
}

const none: readonly number[] = Object.freeze([]);
