import { invalidArgument } from "../domain/error.ts";
import type { ExecutionProvider } from "../domain/execution-provider.ts";
import type { SetlistConfig } from "./settings.ts";

/**
 * What no schema says of lists of execution providers.
 * @throws {SetlistError} INVALID_ARGUMENT: field, expected and found.
 */
export function checkProviders(inference: SetlistConfig["inference"]): void {
  check("inference.executionProviders", inference.executionProviders, inference);
  for (const [name, own] of inference.perModel) {
    const field = `inference.perModel.${name}.executionProviders`;
    if (own.executionProviders !== undefined) check(field, own.executionProviders, inference);
  }
}

function check(
  field: string,
  providers: readonly ExecutionProvider[],
  { workers, isolation }: SetlistConfig["inference"],
): void {
  const list = providers.join(", ");
  const twice = providers.find((one, place) => providers.indexOf(one) < place);
  if (twice !== undefined)
    throw invalidArgument(`${field}: expected each once, got ${twice} twice in ${list}`);
  if (providers.includes("cpu") && providers.at(-1) !== "cpu") {
    throw invalidArgument(`${field}: expected cpu last, since it always runs, got ${list}`);
  }
  // Two threads that run WebGPU sessions of one process share its device, unlocked: ONNX Runtime 1.30 ends the process
  // with a segmentation fault within 200 runs (2 of 2 tries, once after it had counted too many pending dispatches). Two
  // processes have a device each: 800 runs went well.
  if (providers.includes("webgpu") && workers > 1 && isolation === "thread") {
    throw invalidArgument(
      `${field}: expected webgpu only with inference.workers: 1 or inference.isolation: process, for ONNX Runtime crashes where two threads share its device, got inference.workers: ${workers}`,
    );
  }
}
