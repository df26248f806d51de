import type { InferenceSession } from "onnxruntime-node";
import type { ExecutionProvider } from "../domain/execution-provider.ts";

/**
 * How every session runs. One thread a session: workers are what runs side by side, and without an explicit number a
 * container with a cpuset fails to set affinities (onnxruntime issues 8313, 10113). No spinning: it burns a core
 * between runs (0.96 against 0.16 CPU ms a ms). No memory pattern: it plans for one shape, and every batch has another
 * (issue 22271). Only fatal messages: ONNX Runtime writes past our log, and every error is thrown as well.
 */
export const sessionOptions: InferenceSession.SessionOptions = {
  executionProviders: ["cpu"],
  executionMode: "sequential",
  graphOptimizationLevel: "all",
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  enableMemPattern: false,
  logSeverityLevel: 4,
  // ONNX Runtime's configuration entries are strings, numbers are silently dropped.
  extra: {
    session: {
      intra_op: { allow_spinning: "0" },
      inter_op: { allow_spinning: "0" },
      // Weights that a graph keeps in other files would be looked for in the working directory, outside of the manifest's
      // checksum. No file is below this one, so that such a model is refused.
      model_external_initializers_file_folder_path: "/dev/null",
    },
  },
};

/** The same on other providers: each operator goes to the first of them that has it, and to the CPU where none has. */
export function sessionOptionsFor(providers: readonly ExecutionProvider[]): InferenceSession.SessionOptions {
  return { ...sessionOptions, executionProviders: [...providers] };
}
