import { join } from "node:path";
import {
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServiceClientConstructor,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { afterEach, describe, expect, it } from "vitest";
import { grpcStreamTarget } from "../../loadtest/grpc-stream-target.ts";
import { grpcTarget } from "../../loadtest/grpc-target.ts";
import { protobufField } from "../../loadtest/protobuf-field.ts";
import { drawRankRequests, grpcRankRequests, grpcStreamRankRequests } from "../../loadtest/rank-requests.ts";

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
const streamRequests = grpcStreamRankRequests(bodies);

let server: Server | undefined;
afterEach(() => server?.forceShutdown());

type StreamCall = ServerDuplexStream<{ request: Call["request"] }, object>;

/** A real gRPC server with one method of our own. */
const serve = (rank: (call: Call, answer: sendUnaryData<object>) => void) => serveMethods({ rank });
const serveStream = (rankStream: (call: StreamCall) => void) => serveMethods({ rankStream });

async function serveMethods(methods: UntypedServiceImplementation): Promise<string> {
  const packages = loadPackageDefinition(definitions) as unknown as {
    setlist: { v1: { RankingService: ServiceClientConstructor } };
  };
  const opened = new Server();
  server = opened;
  opened.addService(packages.setlist.v1.RankingService.service, methods);
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

  it("sends and reads far more than HTTP/2's windows hold at first", async () => {
    const items = Array.from({ length: 5_000 }, (_, i) => ({ id: `t${i}`, score: i }));
    const large = grpcRankRequests(drawRankRequests({ ...shape, candidates: 4_000, tracks: 9_000 }, 1))[0];
    const address = await serve(({ request }, answer) => {
      answer(null, { requestId: String(request.candidateIds.length), items });
    });
    const target = grpcTarget(address, 1);
    const answers = await Promise.all(Array.from({ length: 20 }, () => target.send(large as Buffer)));
    target.close();
    expect(large?.length).toBeGreaterThan(16_384);
    for (const { ok, body } of answers) {
      expect(ok).toBe(true);
      expect(Buffer.from(protobufField(body, 1) ?? []).toString()).toBe("4000");
      expect(body.length).toBeGreaterThan(65_535);
    }
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

describe("the gRPC stream target", () => {
  it("sends many requests on one call and finds each one's answer, whatever their order", async () => {
    let calls = 0;
    const address = await serveStream((call) => {
      calls++;
      const received: string[] = [];
      call.on("data", ({ request }: { request: Call["request"] }) => {
        received.push(request.user.id);
        if (received.length < 3) return;
        for (const sequence of [2, 0, 1]) {
          const degraded = sequence === 1 ? ["deadline"] : [];
          call.write({ sequence, answer: { requestId: received[sequence], degraded } });
        }
      });
    });
    const target = grpcStreamTarget(address, 1);
    const answers = await Promise.all(streamRequests.map((request) => target.send(request)));
    target.close();
    expect(calls).toBe(1);
    expect(answers.map(({ ok, degraded }) => [ok, degraded])).toEqual([
      [true, false],
      [true, true],
      [true, false],
    ]);
    const users = answers.map(({ body }) => Buffer.from(protobufField(body, 1) ?? []).toString());
    expect(users).toEqual(bodies.map(({ user }) => user.id));
  });

  it("reads answers that come in pieces and many in one", async () => {
    const items = Array.from({ length: 2_000 }, (_, i) => ({ id: `t${i}`, score: i }));
    const address = await serveStream((call) => {
      let sequence = 0;
      call.on("data", () => call.write({ sequence: sequence++, answer: { requestId: "r", items } }));
    });
    const target = grpcStreamTarget(address, 2);
    const answers = await Promise.all([...streamRequests, ...streamRequests].map((one) => target.send(one)));
    target.close();
    expect(answers.map(({ ok }) => ok)).toEqual(Array.from({ length: 6 }, () => true));
  });

  it("gives the code of a refusal, and of a call that ends", async () => {
    const address = await serveStream((call) => {
      call.once("data", () => {
        call.write({ sequence: 0, error: { code: "INVALID_ARGUMENT", detail: "surface: expected" } });
        call.emit("error", { code: status.UNAVAILABLE, details: "stopping" });
      });
    });
    const target = grpcStreamTarget(address, 1);
    const [refused, cut] = await Promise.all(streamRequests.slice(0, 2).map((one) => target.send(one)));
    target.close();
    expect(refused).toMatchObject({ ok: false, code: "INVALID_ARGUMENT" });
    expect(cut).toMatchObject({ ok: false, code: "gRPC 14" });
  });

  it("answers, and does not throw, where no server is", async () => {
    const address = await serveStream(() => {});
    server?.forceShutdown();
    const target = grpcStreamTarget(address, 1);
    const answer = await target.send(streamRequests[0] as Buffer);
    target.close();
    expect(answer.ok).toBe(false);
  });
});
