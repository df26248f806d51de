import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const run = promisify(execFile);

/** Opens a session with our options, and lets ONNX Runtime itself say which ones it took. */
const script = `
  import { InferenceSession } from "onnxruntime-node";
  import { sessionOptions } from "./src/inference/session-options.ts";
  await InferenceSession.create("test/support/models/linear/1/model.onnx", { ...sessionOptions, logSeverityLevel: 1 });
`;

test("ONNX Runtime takes the options that we mean, and not only what we pass", async () => {
  const { stdout, stderr } = await run(process.execPath, ["--input-type=module", "--eval", script], {
    cwd: join(import.meta.dirname, "../.."),
  });
  const taken = `${stdout}${stderr}`.split("\n").find((line) => line.includes("Session Options {")) ?? "";
  expect(taken).toMatch(/execution_mode:0 /);
  expect(taken).toMatch(/enable_mem_pattern:0 /);
  expect(taken).toMatch(/intra_op_param:OrtThreadPoolParams \{ thread_pool_size: 1 /);
  expect(taken).toMatch(/inter_op_param:OrtThreadPoolParams \{ thread_pool_size: 1 /);
  expect(taken).toMatch(/config_options: \{[^}]*session\.intra_op\.allow_spinning: 0/);
  expect(taken).toMatch(/config_options: \{[^}]*session\.inter_op\.allow_spinning: 0/);
});
