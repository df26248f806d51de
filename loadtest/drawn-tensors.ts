import type { Random } from "../src/domain/clock.ts";
import type { Tensor } from "../src/domain/feature-store.ts";
import type { Model, ModelInput } from "../src/domain/model.ts";

/**
 * So many rows of one input of a model with random values that a feature store could have encoded. `golden` is the golden
 * example's tensor of the same input.
 */
export function drawTensor(
  model: Model,
  input: ModelInput,
  rows: number,
  golden: Tensor | undefined,
  random: Random,
): Tensor {
  const elements = rows * (input.columns ?? 1);
  return input.dtype === "int32"
    ? drawIndices(model, input, elements, random)
    : drawNumbers(input, elements, golden, random);
}

/** Numbers as the golden example has them in the same column, up to half as large again. */
function drawNumbers(
  { columns = 1 }: ModelInput,
  elements: number,
  golden: Tensor | undefined,
  random: Random,
): Tensor {
  const rows = (golden?.length ?? 0) / columns;
  return Float32Array.from({ length: elements }, (_, element) => {
    const seen = golden?.[Math.floor(random.next() * rows) * columns + (element % columns)] ?? 1;
    return seen * (0.5 + random.next());
  });
}

/** Any index that the encoding of its column can give, 0 for a missing value among them. */
function drawIndices(
  model: Model,
  { name, columns = 1 }: ModelInput,
  elements: number,
  random: Random,
): Tensor {
  const features = model.features.filter(({ input }) => input === name);
  const sizes = Array.from({ length: columns }, (_, column) => {
    const feature = features.find(({ offset, width }) => column >= offset && column < offset + width);
    if (feature?.encoding.kind === "hash") return 1 + feature.encoding.buckets;
    return feature?.encoding.kind === "vocabulary" ? 1 + feature.encoding.values.length : 1;
  });
  return Int32Array.from({ length: elements }, (_, element) =>
    Math.floor(random.next() * (sizes[element % columns] as number)),
  );
}
