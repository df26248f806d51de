/**
 * The benchmark's client, in a process of its own: so many loops send each its next request once the last is answered.
 * Closed loops measure throughput; latencies under a given load are the open-loop generator's business.
 */
import { grpcStreamTarget } from "./grpc-stream-target.ts";
import { grpcTarget } from "./grpc-target.ts";
import { httpTarget } from "./http-target.ts";
import { createLatencies } from "./latency.ts";
import {
  drawRankRequests,
  grpcRankRequests,
  grpcStreamRankRequests,
  httpRankRequests,
  type RankRequestBody,
} from "./rank-requests.ts";
import type { Target } from "./target.ts";
import { worldSize } from "./world-size.ts";

export interface ClosedLoopOrder {
  /** `grpc` is unary, `stream` is one `RankStream` call. */
  readonly protocol: "http" | "grpc" | "stream";
  /** `http://host:port`, or `host:port`. */
  readonly address: string;
  /** Requests at a time: over HTTP and gRPC unary each on a connection of its own. */
  readonly inFlight: number;
  readonly candidates: number;
  readonly limit: number;
  readonly seconds: number;
  /** Of how many items candidates are drawn, t1 to this; the committed world's where it is left out. */
  readonly tracks?: number;
  /** Different requests that take turns; 300 where it is left out. */
  readonly distinctRequests?: number;
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

export async function runClosedLoop(order: ClosedLoopOrder): Promise<ClosedLoopResult> {
  const { inFlight, candidates } = order;
  const { target, requests } = openTarget(order, bodiesFor(order));
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

  await Promise.all(Array.from({ length: inFlight }, loop));
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

const drawn = new Map<string, readonly RankRequestBody[]>();

/** Drawn once for all orders that differ in nothing but where they go: thousands of requests take a second. */
function bodiesFor({
  candidates,
  limit,
  tracks,
  distinctRequests = 300,
}: ClosedLoopOrder): readonly RankRequestBody[] {
  const size = worldSize();
  const shape = {
    listeners: size.listeners,
    tracks: tracks ?? size.tracks,
    seed: 1,
    surface: "home",
    candidates,
    limit,
  };
  const key = JSON.stringify([shape, distinctRequests]);
  const found = drawn.get(key) ?? drawRankRequests(shape, distinctRequests);
  drawn.set(key, found);
  return found;
}

/** A target, and the requests as it takes them. */
function openTarget(
  { protocol, address, inFlight }: ClosedLoopOrder,
  bodies: readonly RankRequestBody[],
): { target: Target; requests: readonly Buffer[] } {
  switch (protocol) {
    case "http":
      return { target: httpTarget(address, inFlight), requests: httpRankRequests(bodies, address) };
    case "grpc":
      return { target: grpcTarget(address, inFlight), requests: grpcRankRequests(bodies) };
    case "stream":
      return { target: grpcStreamTarget(address, 1), requests: grpcStreamRankRequests(bodies) };
  }
}

if (process.send !== undefined && import.meta.main) {
  process.on("message", async (order: ClosedLoopOrder) => process.send?.(await runClosedLoop(order)));
  process.once("disconnect", () => process.exit(0));
  process.send({ ready: true });
}
