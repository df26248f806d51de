/**
 * A process of its own that runs the smallest model, y = x + x, on the provider that its argument names, and ends with 0
 * where that went well. Of its own, because ONNX Runtime says which library is missing on standard error alone, because a
 * driver that crashes must not take the server with it, and because loading one would hold up the thread that answers.
 */
import { InferenceSession, Tensor } from "onnxruntime-node";
import { messageOf } from "../domain/error.ts";
import { sessionOptions } from "./session-options.ts";

const addition = "CAg6NwoOCgF4CgF4EgF5IgNBZGQSAXBaEAoBeBILCgkIARIFCgMSAW5iEAoBeRILCgkIARIFCgMSAW5CBAoAEBE=";

try {
  const session = await InferenceSession.create(Uint8Array.from(Buffer.from(addition, "base64")), {
    ...sessionOptions,
    executionProviders: process.argv.slice(2),
    // Errors: the missing library is one of them.
    logSeverityLevel: 3,
  });
  const outputs = await session.run({ x: new Tensor("float32", Float32Array.of(1, 2), [2]) });
  const found = String(outputs["y"]?.data);
  await session.release();
  if (found !== "2,4") throw new Error(`1 + 1 and 2 + 2 came out as ${found}`);
} catch (error) {
  process.stderr.write(`\ntrial: ${messageOf(error)}\n`);
  process.exitCode = 1;
}
