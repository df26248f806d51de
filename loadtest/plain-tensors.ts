import { Tensor } from "onnxruntime-node";
import type { EncodedRow, PlainFeatures } from "./plain-features.ts";

/** One request's tensors: the listener's row, and one row a candidate copied side by side. */
export function plainTensors(
  { manifest, users, items }: PlainFeatures,
  user: string,
  candidates: readonly string[],
): Record<string, Tensor> {
  const listener = users.get(user);
  const rows = candidates.map((id) => items.get(id));
  const feeds: Record<string, Tensor> = {};
  for (const { name, dtype, entity, shape } of manifest.inputs) {
    if (entity === "row") {
      feeds[name] = new Tensor("int32", new Int32Array(candidates.length), [candidates.length]);
      continue;
    }
    const sources = entity === "item" ? rows : [listener];
    const width = Number(shape[1]);
    feeds[name] =
      dtype === "float32"
        ? new Tensor("float32", joined(new Float32Array(sources.length * width), sources, "numbers", width), [
            sources.length,
            width,
          ])
        : new Tensor("int32", joined(new Int32Array(sources.length * width), sources, "indices", width), [
            sources.length,
            width,
          ]);
  }
  return feeds;
}

/** An unknown id leaves its row at zero. */
function joined<A extends Float32Array | Int32Array>(
  into: A,
  rows: readonly (EncodedRow | undefined)[],
  part: keyof EncodedRow,
  width: number,
): A {
  for (const [i, row] of rows.entries()) if (row !== undefined) into.set(row[part], i * width);
  return into;
}
