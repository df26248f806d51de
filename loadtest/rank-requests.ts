import { join } from "node:path";
import { loadSync, type ServiceDefinition } from "@grpc/proto-loader";
import type { Random } from "../src/domain/clock.ts";
import { drawBelow, randomStream } from "../src/simulation/random-stream.ts";
import { grpcFrame } from "./grpc-target.ts";
import { postRequest } from "./http-connection.ts";

/** What rank requests of a load test look like. */
export interface RankRequestShape {
  readonly seed: number;
  readonly surface: string;
  readonly candidates: number;
  readonly limit: number | undefined;
  /** The world's ids reach from u1 and t1 to these. */
  readonly listeners: number;
  readonly tracks: number;
}

/** The fields of a rank request that a load test sets. */
export interface RankRequestBody {
  readonly surface: string;
  readonly user: { readonly id: string };
  readonly candidateIds: readonly string[];
  readonly limit?: number;
}

/** `count` different requests, the same for the same shape: a listener each, distinct candidates each. */
export function drawRankRequests(shape: RankRequestShape, count: number): RankRequestBody[] {
  const random = randomStream(shape.seed, "rank requests", shape.candidates);
  return Array.from({ length: count }, () => ({
    surface: shape.surface,
    user: { id: `u${1 + drawBelow(random, shape.listeners)}` },
    candidateIds: drawDistinct(random, shape.candidates, shape.tracks).map((track) => `t${track}`),
    ...(shape.limit === undefined ? {} : { limit: shape.limit }),
  }));
}

/** Serialised once, before the clock runs: what the generator would spend on it is the server's. */
export function httpRankRequests(
  bodies: readonly RankRequestBody[],
  url: string,
  path = "/v1/rank",
): Buffer[] {
  const { host } = new URL(url);
  return bodies.map((body) => postRequest(host, path, body));
}

/** For `Rank`: each a framed `RankRequest`. */
export function grpcRankRequests(bodies: readonly RankRequestBody[]): Buffer[] {
  const write = requestWriter("Rank");
  return bodies.map((body) => grpcFrame(write(body)));
}

/** For `RankStream`: each a framed `RankStreamRequest`. */
export function grpcStreamRankRequests(bodies: readonly RankRequestBody[]): Buffer[] {
  const write = requestWriter("RankStream");
  return bodies.map((request) => grpcFrame(write({ request })));
}

function requestWriter(method: "Rank" | "RankStream"): (message: object) => Buffer {
  const folder = join(import.meta.dirname, "..", "proto");
  const definitions = loadSync("setlist/v1/ranking.proto", { includeDirs: [folder] });
  const service = definitions["setlist.v1.RankingService"] as ServiceDefinition | undefined;
  const definition = service?.[method];
  if (definition === undefined) throw new Error(`expected setlist.v1.RankingService/${method} in ${folder}`);
  return definition.requestSerialize;
}

function drawDistinct(random: Random, count: number, tracks: number): number[] {
  if (count > tracks) throw new Error(`expected at most ${tracks} candidates, one a track, got ${count}`);
  const chosen = new Set<number>();
  while (chosen.size < count) chosen.add(1 + drawBelow(random, tracks));
  return [...chosen];
}
