import { writeFile } from "node:fs/promises";
import { expect, onTestFinished, test } from "vitest";
import { openSession } from "../../src/inference/traced-session.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** One field of a protobuf message whose content is shorter than 128 bytes. */
function field(number: number, content: string | Buffer | number): Buffer {
  if (typeof content === "number") return Buffer.from([number << 3, content]);
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
}

const message = (number: number, ...fields: Buffer[]): Buffer => field(number, Buffer.concat(fields));

/** y = w: four floats that the graph says are in another file. The field numbers are those of onnx.proto. */
function graphWithWeightsIn(file: string): Uint8Array<ArrayBuffer> {
  const entry = (key: string, value: string): Buffer => message(13, field(1, key), field(2, value));
  const weights = message(
    5,
    field(1, 4),
    field(2, 1),
    field(8, "w"),
    entry("location", file),
    entry("length", "16"),
    field(14, 1),
  );
  const node = message(1, field(1, "w"), field(2, "y"), field(4, "Identity"));
  const shape = message(2, message(1, field(1, 4)));
  const output = message(12, field(1, "y"), message(2, message(1, field(1, 1), shape)));
  const graph = Buffer.concat([node, field(2, "g"), weights, output]);
  const length = Buffer.from([(graph.length & 127) | 128, graph.length >> 7]);
  const bytes = [field(1, 8), Buffer.from([(7 << 3) | 2]), length, graph, message(8, field(2, 16))];
  return Uint8Array.from(Buffer.concat(bytes));
}

test("weights outside of the file that the manifest's checksum covers are refused, though the file is there", async () => {
  const folder = await temporaryFolder();
  const before = process.cwd();
  onTestFinished(() => process.chdir(before));
  process.chdir(folder);
  await writeFile("w.bin", Buffer.alloc(16));
  await expect(openSession(graphWithWeightsIn("w.bin"), ["cpu"])).rejects.toThrow(
    "External data path does not exist",
  );
});
