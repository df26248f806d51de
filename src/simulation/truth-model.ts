import { InferenceSession, Tensor } from "onnxruntime-node";
import { SetlistError } from "../domain/error.ts";
import type { Shown, Truth } from "./world.ts";

/**
 * Loads `truth.onnx`. One thread and no spinning: the simulation shares the machine with the server that it watches.
 * @throws {SetlistError} INVALID_ARGUMENT where ONNX Runtime cannot load the file.
 */
export async function loadTruth(file: string): Promise<{ truth: Truth; close(): Promise<void> }> {
  const model = await InferenceSession.create(file, {
    executionProviders: ["cpu"],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  }).catch((error: unknown) => {
    throw new SetlistError(
      "INVALID_ARGUMENT",
      `${file}: not a model that ONNX Runtime loads: ${String(error)}`,
    );
  });

  async function truth({ surface, listener, tracks, seedTrack }: Shown): Promise<Float32Array> {
    const count = tracks.length;
    const filled = (value: number) => new Tensor("int32", new Int32Array(count).fill(value), [count]);
    const output = await model.run(
      {
        user_row: filled(listener),
        item_row: new Tensor("int32", Int32Array.from(tracks), [count]),
        seed_row: filled(seedTrack),
        position: new Tensor(
          "int32",
          Int32Array.from(tracks, (_, place) => place + 1),
          [count],
        ),
      },
      [surface],
    );
    return output[surface]?.data as Float32Array;
  }
  return { truth, close: () => model.release() };
}
