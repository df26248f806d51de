import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";

/**
 * A graph's file as workers get it: where it is, not what is in it. Megabytes that come and go in the answering
 * thread's memory make V8 collect all of its heap, which took 20 to 40 ms with every second or third new version.
 */
export interface GraphSource {
  /** Where it can be read, also when its folder is gone. */
  readonly from: string;
  /** For messages. */
  readonly path: string;
  readonly sha256: string;
}

/** @throws {Error} where it cannot be read, or is not what was described. */
export async function readGraph({ from, path, sha256 }: GraphSource): Promise<Buffer<ArrayBuffer>> {
  const bytes = await readFile(from);
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found !== sha256)
    throw new Error(`${path} changed after it was checked: sha256 ${sha256}, now ${found}`);
  return bytes;
}
