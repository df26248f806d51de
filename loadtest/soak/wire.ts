/** The load's side of the two doors: requests under ids of its own, and what the answers say. */
import { join } from "node:path";
import { status as grpcStatus } from "@grpc/grpc-js";
import { loadSync, type ServiceDefinition } from "@grpc/proto-loader";
import { grpcFrame } from "../grpc-target.ts";
import { postRequest } from "../http-connection.ts";
import { grpcRankRequests, httpRankRequests, type RankRequestBody } from "../rank-requests.ts";
import { idBytes } from "./numbered-book.ts";

export type Door = "http" | "grpc";

/** What an answer to a rank request says, over either door. */
export interface RankAnswer {
  readonly surface: string;
  readonly items: readonly { readonly id: string }[];
  readonly assignments: readonly { readonly experiment: string; readonly arm: string }[];
  /** Null where no model scored. */
  readonly model: { readonly name: string; readonly version: string } | null;
  readonly degraded: readonly string[];
}

export interface OutcomesAnswer {
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: readonly object[];
}

/** Serialised once; the id that stands in it is overwritten for each sending. */
export interface RankTemplate {
  readonly door: Door;
  readonly bytes: Buffer;
}

const placeholder = "x".repeat(idBytes);
const folder = join(import.meta.dirname, "../..", "proto");
const ranks = methodOf("ranking", "RankingService", "Rank");
const records = methodOf("outcome", "OutcomeService", "Record");

export function rankTemplate(door: Door, body: RankRequestBody, url: string): RankTemplate {
  const named = [{ requestId: placeholder, ...body }];
  const [bytes] = door === "http" ? httpRankRequests(named, url) : grpcRankRequests(named);
  return { door, bytes: bytes as Buffer };
}

export function withRequestId({ bytes }: RankTemplate, id: string): Buffer {
  // A copy: the socket may still hold the one before.
  const copy = Buffer.from(bytes);
  copy.write(id, copy.indexOf(placeholder), "latin1");
  return copy;
}

export function readRankAnswer(door: Door, body: Buffer): RankAnswer {
  if (door === "http") return JSON.parse(body.toString()) as RankAnswer;
  const {
    items = [],
    assignments = [],
    degraded = [],
    surface,
    model,
  } = ranks.responseDeserialize(body) as Partial<RankAnswer>;
  return { items, assignments, degraded, surface: surface ?? "", model: model ?? null };
}

export function outcomesRequest(door: Door, outcomes: readonly object[], host: string): Buffer {
  if (door === "http") return postRequest(host, "/v1/outcomes", { outcomes });
  return grpcFrame(records.requestSerialize({ outcomes }));
}

export function readOutcomesAnswer(door: Door, body: Buffer): OutcomesAnswer {
  if (door === "http") return JSON.parse(body.toString()) as OutcomesAnswer;
  const {
    accepted = 0,
    duplicates = 0,
    rejected = [],
  } = records.responseDeserialize(body) as Partial<OutcomesAnswer>;
  return { accepted, duplicates, rejected };
}

/** As the server's metrics have it: an HTTP status, or the name of a gRPC status; others as they are. */
export function codeOf(code: string): string {
  const [, number] = /^gRPC (\d+)$/.exec(code) ?? [];
  return number === undefined ? code : (grpcStatus[Number(number)] ?? code);
}

function methodOf(file: string, service: string, method: string) {
  const definitions = loadSync(`setlist/v1/${file}.proto`, { includeDirs: [folder] });
  const definition = (definitions[`setlist.v1.${service}`] as ServiceDefinition | undefined)?.[method];
  if (definition === undefined) throw new Error(`expected setlist.v1.${service}/${method} in ${folder}`);
  return definition;
}
