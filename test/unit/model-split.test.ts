import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Split, splitModel } from "../support/split-model.ts";
import { openTinyScorer } from "../support/tiny-models.ts";

const open = (repository: string) => openTinyScorer({ repository, batchRowsMax: 8 });

test("a model whose two graphs answer as its golden example says is loaded", async () => {
  const { repository } = await splitModel();
  expect((await open(repository)).resolve({ name: "linear" })).toMatchObject({ version: "1" });
});

describe("a start is refused where", () => {
  test("the request graph computes something else", async () => {
    const { repository, folder } = await splitModel(undefined, "unmoved");
    await expect(open(repository)).rejects.toThrow(
      `${join(folder, "item.onnx")} and ${join(folder, "request.onnx")} do not compute what its recipe computed`,
    );
  });

  test("a graph is missing", async () => {
    const { repository, folder } = await splitModel();
    await rm(join(folder, "item.onnx"));
    await expect(open(repository)).rejects.toThrow(
      `${join(folder, "item.onnx")}: expected the file of ${join(folder, "manifest.json")}, found nothing there`,
    );
  });

  test.each<[string, (split: Split, manifest: Record<string, unknown>) => unknown, string]>([
    [
      "a checksum is another",
      (split) => Object.assign(split.request, { sha256: "0".repeat(64) }),
      `request.onnx: expected sha256 ${"0".repeat(64)}`,
    ],
    [
      "the rows have another width",
      (split) => Object.assign(split, { rowWidth: 3 }),
      'item.onnx: expected output item_rows to be float32 ["slab_rows",3], as its manifest says, found float32 ["rows",2]',
    ],
    [
      "a file lies elsewhere",
      (split) => Object.assign(split.item, { file: "../item.onnx" }),
      "split.item.file: ",
    ],
    ["the width is none", (split) => Object.assign(split, { rowWidth: 0 }), "split.rowWidth: "],
    ["the item graph is not named", (split) => Reflect.deleteProperty(split, "item"), "split.item: "],
    [
      "no golden example can show that it is right",
      (_split, manifest) => Reflect.deleteProperty(manifest, "golden"),
      "golden: expected, since the manifest has split, but missing",
    ],
  ])("%s", async (_what, change, sentence) => {
    const { repository } = await splitModel(change);
    await expect(open(repository)).rejects.toThrow(sentence);
  });
});
