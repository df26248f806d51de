import { copyFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { repositoryWith, sha256 } from "./tiny-models.ts";

const graphs = join(import.meta.dirname, "split");

export interface Split {
  item: Record<string, unknown>;
  request: Record<string, unknown>;
  rowWidth: number;
}

/** `linear` with its two graphs; `request` names the file that stands for the request graph. */
export async function splitModel(
  change: (split: Split, manifest: Record<string, unknown>) => unknown = () => undefined,
  request = "request",
) {
  const digest = async (name: string) => sha256(await readFile(join(graphs, `${name}.onnx`)));
  const split: Split = {
    item: { file: "item.onnx", sha256: await digest("item") },
    request: { file: "request.onnx", sha256: await digest(request) },
    rowWidth: 2,
  };
  const made = await repositoryWith("linear", (manifest) => {
    manifest["split"] = split;
    change(split, manifest);
  });
  await copyFile(join(graphs, "item.onnx"), join(made.folder, "item.onnx"));
  await copyFile(join(graphs, `${request}.onnx`), join(made.folder, "request.onnx"));
  return made;
}
