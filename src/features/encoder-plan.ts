import type { FeatureEntity, FeatureSpec } from "../domain/feature.ts";
import type { Tensor } from "../domain/feature-store.ts";
import type { Model } from "../domain/model.ts";
import { type ValueWriter, writerOf } from "./value-encoding.ts";

/** One feature's columns: in row r of tensor `place` they begin at `r * stride + offset`. */
export interface PlannedFeature {
  readonly spec: FeatureSpec;
  readonly place: number;
  readonly stride: number;
  readonly offset: number;
  readonly width: number;
  readonly write: ValueWriter;
  /** The default's `width` columns. */
  readonly fallback: Tensor;
}

/** One tensor that an entity fills. */
export interface PlannedInput {
  readonly place: number;
  readonly columns: number;
  readonly dtype: "float32" | "int32";
}

/** Everything about one entity of one model that does not change between requests. */
export interface EntityPlan {
  readonly inputs: readonly PlannedInput[];
  /** In the order of the manifest; places in this list number the features. */
  readonly features: readonly PlannedFeature[];
  /** Places of the features that a name means: one name may fill several inputs. */
  readonly named: ReadonlyMap<string, readonly number[]>;
}

export function planEntity(model: Model, entity: FeatureEntity): EntityPlan {
  const inputs: PlannedInput[] = [];
  for (const [place, { entity: of, columns, dtype }] of model.inputs.entries()) {
    if (of === entity && columns !== undefined) inputs.push({ place, columns, dtype });
  }
  const features = model.features
    .filter((spec) => spec.entity === entity)
    .map((spec) => planFeature(model, spec));
  const named = new Map<string, number[]>();
  for (const [index, { spec }] of features.entries()) {
    named.set(spec.name, [...(named.get(spec.name) ?? []), index]);
  }
  return { inputs, features, named };
}

function planFeature(model: Model, spec: FeatureSpec): PlannedFeature {
  const place = model.inputs.findIndex((input) => input.name === spec.input);
  const stride = model.inputs[place]?.columns;
  const write = writerOf(spec);
  const fallback =
    spec.encoding.kind === "number" ? new Float32Array(spec.width) : new Int32Array(spec.width);
  if (stride === undefined || !write(spec.default, fallback, 0)) {
    throw new Error(`${model.name}/${model.version}: feature ${spec.name} does not fit its own model`);
  }
  return { spec, place, stride, offset: spec.offset, width: spec.width, write, fallback };
}

/** Empty tensors for one request, in the order of `model.inputs`; undefined for item and row inputs. */
export function allocateTensors(model: Model): (Tensor | undefined)[] {
  return model.inputs.map(({ dtype, entity, columns }) => {
    if (columns === undefined || entity === "item") return undefined;
    return dtype === "float32" ? new Float32Array(columns) : new Int32Array(columns);
  });
}
