/**
 * The server that a competent engineer writes first: Fastify, onnxruntime-node on the same thread, features in a Map,
 * JSON in and JSON out. No experiments, no log, no limits, no deadlines. `npm run bench` compares Setlist with it.
 */
import Fastify from "fastify";
import { InferenceSession } from "onnxruntime-node";
import { loadPlainFeatures } from "./plain-features.ts";
import { plainTensors } from "./plain-tensors.ts";

interface RankBody {
  readonly user: { readonly id: string };
  readonly candidateIds: readonly string[];
  readonly limit?: number;
}

const features = await loadPlainFeatures();
const { tasks, valueModel, output } = features.manifest;
const weights = tasks.map((task) => valueModel.weights[task] ?? 0);
const model = await InferenceSession.create(features.modelFile);

const server = Fastify();
server.post<{ Body: RankBody }>("/v1/rank", async (request) => {
  const { user, candidateIds, limit } = request.body;
  const outputs = await model.run(plainTensors(features, user.id, candidateIds));
  const probabilities = outputs[output.name]?.data as Float32Array;
  const items = candidateIds.map((id, row) => {
    const byTask: Record<string, number> = {};
    let score = 0;
    for (const [t, task] of tasks.entries()) {
      const probability = probabilities[row * tasks.length + t] ?? 0;
      byTask[task] = probability;
      score += probability * (weights[t] ?? 0);
    }
    return { id, score, tasks: byTask };
  });
  items.sort((a, b) => b.score - a.score);
  return { items: items.slice(0, limit) };
});

await server.listen({ host: "127.0.0.1", port: 0 });
const address = server.server.address();
const httpPort = typeof address === "object" ? address?.port : undefined;
process.stdout.write(`${JSON.stringify({ msg: "ready", httpPort })}\n`);
// Started with an IPC channel: gone when whoever started it is gone.
process.once("disconnect", () => process.exit(0));
