/**
 * The benchmark's client, in a process of its own: every connection sends its next request once the last is answered.
 * Closed loops measure throughput; latencies under a given load are the open-loop generator's business.
 */
import { grpcTarget } from "./grpc-target.ts";
import { httpTarget } from "./http-target.ts";
import { createLatencies } from "./latency.ts";
import { drawRankRequests, grpcRankRequests, httpRankRequests } from "./rank-requests.ts";
import { worldSize } from "./world-size.ts";

export interface ClosedLoopOrder {
  readonly protocol: "http" | "grpc";
  /** `http://host:port`, or `host:port`. */
  readonly address: string;
  readonly connections: number;
  readonly candidates: number;
  readonly limit: number;
  readonly seconds: number;
}

export interface ClosedLoopResult {
  /** Of whole answers only: an order that no model scored is an answer, but no throughput of a ranker. */
  readonly requestsPerSecond: number;
  readonly candidatesPerSecond: number;
  /** Of all good answers, degraded ones included. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly errors: Readonly<Record<string, number>>;
  readonly degraded: number;
}

const distinctRequests = 300;

export async function runClosedLoop(order: ClosedLoopOrder): Promise<ClosedLoopResult> {
  const { protocol, address, connections, candidates, limit } = order;
  const bodies = drawRankRequests(
    { ...worldSize(), seed: 1, surface: "home", candidates, limit },
    distinctRequests,
  );
  const requests = protocol === "http" ? httpRankRequests(bodies, address) : grpcRankRequests(bodies);
  const target = protocol === "http" ? httpTarget(address, connections) : grpcTarget(address, connections);
  const latencies = createLatencies();
  const errors: Record<string, number> = {};
  const start = performance.now();
  const endAt = start + order.seconds * 1_000;
  let sent = 0;
  let degraded = 0;

  async function loop(): Promise<void> {
    for (let now = performance.now(); now < endAt; now = performance.now()) {
      const answer = await target.send(requests[sent++ % requests.length] as Buffer);
      if (answer.ok) latencies.record(performance.now() - now);
      else errors[answer.code] = (errors[answer.code] ?? 0) + 1;
      if (answer.degraded) degraded++;
    }
  }

  await Promise.all(Array.from({ length: connections }, loop));
  const requestsPerSecond = (1_000 * (latencies.count - degraded)) / (performance.now() - start);
  target.close();
  return {
    requestsPerSecond,
    candidatesPerSecond: requestsPerSecond * candidates,
    p50Ms: latencies.at(50),
    p99Ms: latencies.at(99),
    errors,
    degraded,
  };
}

if (process.send !== undefined && import.meta.main) {
  process.on("message", async (order: ClosedLoopOrder) => process.send?.(await runClosedLoop(order)));
  process.once("disconnect", () => process.exit(0));
  process.send({ ready: true });
}
