/**
 * Outcomes through a server's doors: so many batches under way at a time, each from a caller of its own that waits for
 * its answer. What counts is what the answers say was accepted: durable.
 */

import { join } from "node:path";
import { Client, credentials } from "@grpc/grpc-js";
import { loadSync, type ServiceDefinition } from "@grpc/proto-loader";
import { postRequest } from "./http-connection.ts";
import { httpTarget } from "./http-target.ts";
import { wireOutcome } from "./log-records.ts";

export type DoorName = "HTTP" | "gRPC";

export interface OutcomeDoor {
  /** Answers how many outcomes of the batch were accepted. @throws where it was refused. */
  send(batch: Buffer): Promise<number>;
  close(): void;
}

export interface DoorLoad {
  readonly outcomesPerSecond: number;
  /** Of a batch, from its sending to its answer. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Over HTTP or gRPC, on `connections` connections. */
export function openDoor(door: DoorName, port: number, connections: number): OutcomeDoor {
  return door === "HTTP" ? httpDoor(port, connections) : grpcDoor(port, connections);
}

function httpDoor(port: number, connections: number): OutcomeDoor {
  const target = httpTarget(`http://127.0.0.1:${port}`, connections);
  return {
    async send(batch) {
      const { ok, code, body } = await target.send(batch);
      if (!ok) throw new Error(`the server answered ${code}: ${body.toString().slice(0, 300)}`);
      return (JSON.parse(body.toString()) as { accepted: number }).accepted;
    },
    close: () => target.close(),
  };
}

function grpcDoor(port: number, connections: number): OutcomeDoor {
  const { path, responseDeserialize } = recordMethod();
  // Channels of one process to one address share their connection unless each keeps its own.
  const clients = Array.from(
    { length: connections },
    () =>
      new Client(`127.0.0.1:${port}`, credentials.createInsecure(), { "grpc.use_local_subchannel_pool": 1 }),
  );
  let next = 0;
  return {
    send(batch) {
      const client = clients[next++ % connections] as Client;
      const same = (bytes: Buffer): Buffer => bytes;
      return new Promise((resolve, reject) => {
        client.makeUnaryRequest(path, same, same, batch, (error, answer) => {
          if (error !== null) reject(error);
          else resolve((responseDeserialize(answer as Buffer) as { accepted: number }).accepted);
        });
      });
    },
    close() {
      for (const client of clients) client.close();
    },
  };
}

function recordMethod() {
  const folder = join(import.meta.dirname, "..", "proto");
  const definitions = loadSync("setlist/v1/outcome.proto", { includeDirs: [folder] });
  const method = (definitions["setlist.v1.OutcomeService"] as ServiceDefinition)["Record"];
  if (method === undefined) throw new Error(`expected setlist.v1.OutcomeService/Record in ${folder}`);
  return method;
}

/** Made before the clock runs: what the generator would spend on it is the server's. */
export function madeBatches(door: DoorName, count: number, size: number, from: number): Buffer[] {
  const { requestSerialize } = recordMethod();
  return Array.from({ length: count }, (_, b) => {
    const outcomes = Array.from({ length: size }, (_, i) => wireOutcome(from + b * size + i, 20_000));
    return door === "HTTP"
      ? postRequest("127.0.0.1", "/v1/outcomes", { outcomes })
      : requestSerialize({ outcomes });
  });
}

/** Sends every batch once, from `callers` at a time. */
export async function loadDoor(
  door: OutcomeDoor,
  batches: readonly Buffer[],
  callers: number,
  onAnswer: (answered: number) => void,
): Promise<DoorLoad> {
  const tookMs: number[] = [];
  let next = 0;
  let accepted = 0;
  const call = async (): Promise<void> => {
    for (let batch = batches[next++]; batch !== undefined; batch = batches[next++]) {
      const sent = performance.now();
      const taken = await door.send(batch);
      accepted += taken;
      tookMs.push(performance.now() - sent);
      onAnswer(tookMs.length);
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: callers }, call));
  const seconds = (performance.now() - start) / 1_000;
  tookMs.sort((a, b) => a - b);
  const at = (share: number): number => tookMs[Math.floor(share * (tookMs.length - 1))] ?? 0;
  return { outcomesPerSecond: accepted / seconds, p50Ms: at(0.5), p99Ms: at(0.99) };
}
