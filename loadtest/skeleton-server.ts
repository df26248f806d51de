/**
 * What is left of a server like Setlist without anything that makes it one: Fastify, JSON in and JSON out, and a process
 * of its own that is sent every request that waits and answers them together. It assigns nothing, looks up nothing,
 * records nothing, orders nothing, and computes for as long as it is told to: the most that this shape can do here.
 */
import { fork } from "node:child_process";
import Fastify from "fastify";
import type { SkeletonReply, SkeletonRun } from "./skeleton-worker.ts";

interface RankBody {
  readonly candidateIds: readonly string[];
}

interface Waiting {
  readonly candidates: number;
  readonly answer: (probabilities: Float32Array) => void;
}

const [, , microsecondsPerRequest = "0"] = process.argv;
const tasks = 3;

const worker = fork(new URL("./skeleton-worker.ts", import.meta.url), [], {
  serialization: "advanced",
  execArgv: [],
});
let waiting: Waiting[] = [];
let running: Waiting[] = [];

function send(): void {
  if (running.length > 0 || waiting.length === 0) return;
  running = waiting;
  waiting = [];
  const rows = new Int32Array(running.reduce((sum, { candidates }) => sum + candidates, 0));
  // As much of a user as the demo's models read.
  const users = new Float32Array(running.length * 52);
  const spinMs = (running.length * Number(microsecondsPerRequest)) / 1_000;
  worker.send({ rows, users, tasks, spinMs } satisfies SkeletonRun);
}

worker.on("message", ({ probabilities }: SkeletonReply) => {
  const done = running;
  running = [];
  send();
  let at = 0;
  for (const { candidates, answer } of done) {
    answer(probabilities.subarray(at, at + candidates * tasks));
    at += candidates * tasks;
  }
});

function score(candidates: number): Promise<Float32Array> {
  return new Promise((answer) => {
    waiting.push({ candidates, answer });
    send();
  });
}

const server = Fastify();
server.post<{ Body: RankBody }>("/v1/rank", async (request, reply) => {
  const { candidateIds } = request.body;
  const probabilities = await score(candidateIds.length);
  const items = candidateIds.map((id, row) => {
    const [click = 0, completion = 0, like = 0] = probabilities.subarray(row * tasks, (row + 1) * tasks);
    return { id, score: click * completion, tasks: { click, completion, like } };
  });
  reply.type("application/json; charset=utf-8");
  return JSON.stringify({
    requestId: request.id,
    surface: "home",
    items,
    assignments: [],
    model: { name: "skeleton", version: "1" },
    degraded: [],
  });
});

await server.listen({ host: "127.0.0.1", port: 0 });
const address = server.server.address();
const httpPort = typeof address === "object" ? address?.port : undefined;
process.stdout.write(`${JSON.stringify({ msg: "ready", httpPort })}\n`);
// Started with an IPC channel: gone when whoever started it is gone.
process.once("disconnect", () => process.exit(0));
