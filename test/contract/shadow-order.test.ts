import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, expect, test } from "vitest";
import { httpCall } from "../support/doors.ts";
import { type GrpcCaller, grpcCaller } from "../support/grpc-caller.ts";
import { rankMessage } from "../support/rank-message.ts";
import { type RankStreamClient, rankStreamClient } from "../support/rank-stream-client.ts";

let server: Worker;
let http: string;
let grpc: GrpcCaller;
let streams: RankStreamClient;
let settled = 0;

beforeAll(async () => {
  server = new Worker(new URL("../support/blocking-shadow.ts", import.meta.url));
  const [addresses] = (await once(server, "message")) as [{ http: string; grpc: string }];
  http = addresses.http;
  grpc = grpcCaller(addresses.grpc);
  streams = rankStreamClient(addresses.grpc);
  server.on("message", () => {
    settled += 1;
  });
});
afterAll(async () => {
  grpc.close();
  streams.close();
  await server.terminate();
});

const request = { surface: "home", user: { id: "u1" }, candidateIds: ["t1", "t2"] };
const doors: [string, () => Promise<unknown>][] = [
  [
    "HTTP",
    async () => {
      const headers = { "content-type": "application/json" };
      const { body } = await httpCall(`${http}/v1/rank`, {
        method: "POST",
        headers,
        body: JSON.stringify(request),
      });
      return body["items"];
    },
  ],
  [
    "gRPC",
    async () => {
      const { message } = await grpc.call("setlist.v1.RankingService", "Rank", rankMessage(request));
      return message["items"];
    },
  ],
  [
    "a gRPC stream",
    async () => {
      const call = streams.open();
      await call.send(rankMessage(request));
      const [response] = await call.count(1);
      call.halfClose();
      return response?.answer?.["items"];
    },
  ],
];

test.each(doors)(
  "an answer over %s has left before a shadow model begins with its request",
  async (_door, rank) => {
    const before = settled;
    expect(await rank()).toHaveLength(2);
    expect(settled).toBe(before);
    await expect.poll(() => settled).toBe(before + 1);
  },
);
