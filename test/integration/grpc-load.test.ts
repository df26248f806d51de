import { join } from "node:path";
import {
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServiceClientConstructor,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { afterEach, describe, expect, it } from "vitest";
import { grpcTarget } from "../../loadtest/grpc-target.ts";
import { protobufField } from "../../loadtest/protobuf-field.ts";
import { drawRankRequests, grpcRankRequests } from "../../loadtest/rank-requests.ts";

interface Call {
  readonly request: {
    readonly surface: string;
    readonly user: { id: string };
    readonly candidateIds: string[];
  };
}

const definitions = loadSync("setlist/v1/ranking.proto", {
  includeDirs: [join(import.meta.dirname, "../../proto")],
});
const shape = { seed: 1, surface: "home", candidates: 30, limit: 5, listeners: 100, tracks: 200 };
const bodies = drawRankRequests(shape, 3);
const requests = grpcRankRequests(bodies);

let server: Server | undefined;
afterEach(() => server?.forceShutdown());

/** A real gRPC server with one method of our own. */
async function serve(rank: (call: Call, answer: sendUnaryData<object>) => void): Promise<string> {
  const packages = loadPackageDefinition(definitions) as unknown as {
    setlist: { v1: { RankingService: ServiceClientConstructor } };
  };
  const opened = new Server();
  server = opened;
  opened.addService(packages.setlist.v1.RankingService.service, { rank });
  const port = await new Promise<number>((resolve, reject) =>
    opened.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  return `127.0.0.1:${port}`;
}

describe("the gRPC target", () => {
  it("sends what a gRPC server understands, many calls at once", async () => {
    const received: Call["request"][] = [];
    const address = await serve(({ request }, answer) => {
      received.push(request);
      answer(null, { requestId: "r1", items: [{ id: "t1", score: 0.5 }] });
    });
    const target = grpcTarget(address, 2);
    const answers = await Promise.all(requests.map((request) => target.send(request)));
    target.close();
    expect(answers.every(({ ok, degraded }) => ok && !degraded)).toBe(true);
    expect(Buffer.from(protobufField(answers[0]?.body ?? Buffer.alloc(0), 1) ?? []).toString()).toBe("r1");
    const ids = (all: readonly { user: { id: string }; candidateIds: readonly string[] }[]) =>
      all.map(({ user, candidateIds }) => [user.id, ...candidateIds].join(" ")).toSorted();
    expect(ids(received)).toEqual(ids(bodies));
  });

  it("sees a degraded answer", async () => {
    const address = await serve((_, answer) => answer(null, { requestId: "r1", degraded: ["deadline"] }));
    const target = grpcTarget(address, 1);
    const answer = await target.send(requests[0] as Buffer);
    target.close();
    expect(answer).toMatchObject({ ok: true, degraded: true });
  });

  it("gives the code of a refusal", async () => {
    const address = await serve((_, answer) => answer({ code: status.RESOURCE_EXHAUSTED, details: "full" }));
    const target = grpcTarget(address, 1);
    const answer = await target.send(requests[0] as Buffer);
    target.close();
    expect(answer).toMatchObject({ ok: false, code: "gRPC 8" });
  });

  it("answers, and does not throw, where no server is", async () => {
    const address = await serve(() => {});
    server?.forceShutdown();
    const target = grpcTarget(address, 1);
    const answer = await target.send(requests[0] as Buffer);
    target.close();
    expect(answer.ok).toBe(false);
  });
});
