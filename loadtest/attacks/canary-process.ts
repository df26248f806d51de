/** A well-behaved client in a process of its own: it asks both doors all the while, and counts what it is not answered. */
import { grpcTarget } from "../grpc-target.ts";
import { httpTarget } from "../http-target.ts";
import { createLatencies } from "../latency.ts";
import { drawRankRequests, grpcRankRequests, httpRankRequests } from "../rank-requests.ts";
import type { Answer, Target } from "../target.ts";
import { worldSize } from "../world-size.ts";

/** What it saw since it was last asked. */
export interface CanaryReport {
  readonly asked: number;
  readonly p99Ms: number;
  /** In words, the first few. */
  readonly failures: readonly string[];
}

const everyMs = 200;
/** Longer than that is a hang, on a busy machine too. */
const patienceMs = 30_000;
const limit = 10;

let latencies = createLatencies();
let failures: string[] = [];

function watch(target: Target, requests: readonly Buffer[], check: (answer: Answer) => boolean): void {
  let next = 0;
  setInterval(async () => {
    const began = performance.now();
    const late = setTimeout(() => failures.push(`${target.name}: no answer in ${patienceMs} ms`), patienceMs);
    const answer = await target.send(requests[next++ % requests.length] as Buffer);
    clearTimeout(late);
    latencies.record(performance.now() - began);
    if (!answer.ok) failures.push(`${target.name}: ${answer.code}`);
    else if (!check(answer)) failures.push(`${target.name}: not the shape of a ranking`);
  }, everyMs);
}

function isRanking({ body }: Answer): boolean {
  const { items } = JSON.parse(body.toString()) as { items: { score: number }[] };
  return (
    items.length === limit && items.every(({ score }, i) => i === 0 || score <= (items[i - 1]?.score ?? 0))
  );
}

function report(): CanaryReport {
  const said = { asked: latencies.count, p99Ms: latencies.at(99), failures: failures.slice(0, 5) };
  latencies = createLatencies();
  failures = [];
  return said;
}

process.on("message", (question: { httpPort?: number; grpcPort?: number }) => {
  const { httpPort, grpcPort } = question;
  if (httpPort !== undefined) {
    const shape = { ...worldSize(), seed: 1, surface: "home", candidates: 50, limit };
    const bodies = drawRankRequests(shape, 100);
    const url = `http://127.0.0.1:${httpPort}`;
    watch(httpTarget(url, 4), httpRankRequests(bodies, url), isRanking);
    watch(grpcTarget(`127.0.0.1:${grpcPort}`, 1), grpcRankRequests(bodies), ({ body }) => body.length > 0);
  }
  process.send?.(report());
});
process.on("disconnect", () => process.exit());
process.send?.("ready");
