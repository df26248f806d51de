import { createHash } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readGraph } from "../../src/inference/graph-source.ts";
import { HeldFile } from "../../src/inference/held-file.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const sha256Of = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
// Larger than a piece, and no multiple of one.
const content = Buffer.from(Array.from({ length: 300_001 }, (_, index) => index % 251));

async function heldFile() {
  const path = join(await temporaryFolder(), "model.onnx");
  await writeFile(path, content);
  return { path, held: await HeldFile.open(path) };
}

test("a held file is read whole, piece by piece", async () => {
  const { held } = await heldFile();
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const piece of held.pieces()) {
    hash.update(piece);
    bytes += piece.length;
  }
  expect([bytes, hash.digest("hex")]).toEqual([content.length, sha256Of(content)]);
  held.close();
});

test.runIf(process.platform === "linux")(
  "it can be read when it has no name any more, until it is closed",
  async () => {
    const { path, held } = await heldFile();
    const source = { from: held.from, path, sha256: sha256Of(content) };
    await rm(path);
    expect((await readGraph(source)).equals(content)).toBe(true);
    held.close();
    held.close();
    await expect
      .poll(() =>
        readGraph(source).then(
          () => "read",
          () => "gone",
        ),
      )
      .toBe("gone");
  },
);

test("a graph that was overwritten after it was checked is refused by whoever reads it", async () => {
  const { path, held } = await heldFile();
  await writeFile(path, "another graph");
  await expect(readGraph({ from: held.from, path, sha256: sha256Of(content) })).rejects.toThrow(
    `${path} changed after it was checked: sha256 ${sha256Of(content)}, now ${sha256Of(Buffer.from("another graph"))}`,
  );
  held.close();
});
