import type { FeatureSpec } from "../domain/feature.ts";
import type { EncodedRequest, Tensor } from "../domain/feature-store.ts";
import type { Impression } from "../domain/impression.ts";
import type { Model } from "../domain/model.ts";
import { type ServedFeature, type ServedFeatures, servedAs } from "../domain/served-features.ts";
import { allocateTensors, planEntity } from "./encoder-plan.ts";
import { writeContext } from "./row-writing.ts";

/**
 * A logged impression's shown items as tensors, from the features that the log has as they were served and nothing else,
 * so that they are bit for bit what served, whatever the store says by now. What the model reads of the context and no
 * model read that served comes from what the request sent, as it would have: the store has no contexts.
 * @returns undefined where the log has not all that the model reads of the user and of every item.
 */
export function encodeServed(
  model: Model,
  { served, sent, items }: Pick<Impression, "served" | "sent" | "items">,
): EncodedRequest | undefined {
  for (const one of served ?? []) {
    const encoded = one.rows < items.length ? undefined : encodedBy(model, one, sent, items.length);
    if (encoded !== undefined) return encoded;
  }
  return undefined;
}

function encodedBy(
  model: Model,
  served: ServedFeatures,
  sent: Impression["sent"],
  rows: number,
): EncodedRequest | undefined {
  const tensors = allocateTensors(model);
  const context = planEntity(model, "context");
  const known = new Set(context.features.map(({ spec }) => spec.name));
  const ofContext = Object.entries(sent?.context ?? {}).filter(([name]) => known.has(name));
  writeContext(context, tensors, Object.fromEntries(ofContext));
  const ofItems = model.inputs.map(({ entity, columns, dtype }): Tensor | undefined => {
    if (entity !== "item" || columns === undefined) return undefined;
    return dtype === "float32" ? new Float32Array(rows * columns) : new Int32Array(rows * columns);
  });
  for (const spec of model.features) {
    const feature = servedAs(spec, served);
    if (feature === undefined && spec.entity === "context") continue;
    if (feature === undefined) return undefined;
    const place = model.inputs.findIndex(({ name }) => name === spec.input);
    const target = (spec.entity === "item" ? ofItems : tensors)[place] as Tensor;
    copyColumns(
      target,
      model.inputs[place]?.columns as number,
      spec,
      feature,
      spec.entity === "item" ? rows : 1,
    );
  }
  return {
    candidateCount: rows,
    tensors,
    table: { tensors: ofItems, versions: new Uint32Array(rows).fill(1) },
    slots: Int32Array.from({ length: rows }, (_, slot) => slot),
    defaultedCount: 0,
    storeUnavailable: false,
    release: () => undefined,
  };
}

function copyColumns(
  target: Tensor,
  stride: number,
  { offset, width }: FeatureSpec,
  { values }: ServedFeature,
  rows: number,
): void {
  for (let row = 0; row < rows; row++) {
    target.set(values.subarray(row * width, (row + 1) * width), row * stride + offset);
  }
}
