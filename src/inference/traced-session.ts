import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession } from "onnxruntime-node";
import type { ExecutionProvider } from "../domain/execution-provider.ts";
import { sessionOptionsFor } from "./session-options.ts";

/** Operators by the provider that ran them. */
export type OperatorCounts = Partial<Record<ExecutionProvider, number>>;

/** Where ONNX Runtime writes what a session does, until `countOperators` or `closeSession` ends it. */
const traces = new WeakMap<InferenceSession, string>();

/** True where nothing but the CPU can run an operator, so that nothing is to be traced. */
export function isCpuAlone(providers: readonly ExecutionProvider[]): boolean {
  return providers.every((provider) => provider === "cpu");
}

/**
 * Opens a session. With any provider but the CPU's its runs are traced from the start: ONNX Runtime tells nowhere else
 * which provider an operator really went to. A session of the CPU alone has no trace and pays nothing.
 * @param bytes not over a SharedArrayBuffer, which ONNX Runtime refuses.
 */
export async function openSession(
  bytes: Uint8Array<ArrayBuffer>,
  providers: readonly ExecutionProvider[],
): Promise<InferenceSession> {
  const options = sessionOptionsFor(providers);
  if (isCpuAlone(providers)) return InferenceSession.create(bytes, options);
  const folder = await mkdtemp(join(tmpdir(), "setlist-trace-"));
  try {
    const traced = { ...options, enableProfiling: true, profileFilePrefix: join(folder, "session") };
    const session = await InferenceSession.create(bytes, traced);
    traces.set(session, folder);
    return session;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Ends the traces of sessions that have run, and counts their operators, without the copies between devices. */
export async function countOperators(sessions: readonly InferenceSession[]): Promise<OperatorCounts> {
  const counts: OperatorCounts = {};
  for (const session of sessions) {
    for (const provider of await endTrace(session)) counts[provider] = (counts[provider] ?? 0) + 1;
  }
  return counts;
}

/** Releases a session, and its trace where that still runs. */
export async function closeSession(session: InferenceSession): Promise<void> {
  await endTrace(session);
  await session.release();
}

/** The provider of each operator that ran. From here on the session runs untraced. */
async function endTrace(session: InferenceSession): Promise<readonly ExecutionProvider[]> {
  const folder = traces.get(session);
  if (folder === undefined) return [];
  traces.delete(session);
  try {
    session.endProfiling();
    const files = await readdir(folder);
    const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8")));
    return texts.flatMap((text) => providersIn(JSON.parse(text)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** One event of ONNX Runtime's profile; those of category `Node` are operators that ran. */
interface TraceEvent {
  readonly cat: string;
  readonly name: string;
  readonly args?: { readonly provider?: string; readonly op_name?: string; readonly node_index?: string };
}

function providersIn(events: readonly TraceEvent[]): ExecutionProvider[] {
  // Several runs of one operator are one; its index alone is not unique where a graph has graphs inside.
  const found = new Map<string, ExecutionProvider>();
  for (const { cat, name, args } of events) {
    const provider = namesInTraces.get(args?.provider ?? "");
    if (cat !== "Node" || provider === undefined || args?.op_name?.startsWith("Memcpy")) continue;
    found.set(`${args?.node_index} ${name}`, provider);
  }
  return [...found.values()];
}

const namesInTraces: ReadonlyMap<string, ExecutionProvider> = new Map([
  ["CPUExecutionProvider", "cpu"],
  ["WebGpuExecutionProvider", "webgpu"],
  ["CUDAExecutionProvider", "cuda"],
  ["TensorrtExecutionProvider", "tensorrt"],
]);
