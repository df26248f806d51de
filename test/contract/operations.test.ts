import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { create, createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Client, credentials, loadPackageDefinition } from "@grpc/grpc-js";
import { loadSync, type MethodDefinition } from "@grpc/proto-loader";
import { service as healthService } from "grpc-health-check";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { defaultLimits } from "../../src/domain/limits.ts";
import type { Scorer } from "../../src/domain/scorer.ts";
import { createGrpcServer } from "../../src/grpc/grpc.ts";
import { createHttpServer } from "../../src/http/http.ts";
import { createReadiness } from "../../src/serving/readiness.ts";
import type { Serving } from "../../src/serving/serving.ts";
import { createTelemetry } from "../../src/telemetry/telemetry.ts";
import { type Doors, openDoors } from "../support/doors.ts";
import { storeOf, writesOf } from "../support/experiment-store.ts";
import { unaryCall } from "../support/grpc-caller.ts";
import { standingLibrary } from "../support/model-library.ts";

let doors: Doors;
let client: Client;
beforeEach(async () => {
  doors = await openDoors({ connectionRules: { closeGraceMs: 60_000 }, closeGraceMs: 60_000 });
  client = new Client(doors.grpcAddress, credentials.createInsecure());
});
afterEach(async () => {
  client.close();
  await doors.close();
});

const request = { surface: "home", user: { id: "u1" }, candidateIds: ["t1"] };
const services = ["setlist.v1.RankingService", "setlist.v1.OutcomeService", "setlist.v1.ExperimentService"];

/** Holds calls until it opens, and tells when so many are there. */
class Gate {
  #held = 0;
  readonly #gate = Promise.withResolvers<void>();

  enter(): Promise<void> {
    this.#held++;
    return this.#gate.promise;
  }

  async holds(count: number): Promise<void> {
    while (this.#held < count) await delay(5);
  }

  open(): void {
    this.#gate.resolve();
  }
}

const health = (service: string) => healthAt(client, service);

const healthAt = (client: Client, service: string) => {
  const check = healthService["Check"] as MethodDefinition<object, object>;
  return unaryCall(client, check.path, check.requestSerialize, check.responseDeserialize, { service });
};

describe("readiness", () => {
  test("is 503 with the reason before the server is ready and from the first moment of a drain", async () => {
    expect(await doors.get("/readyz")).toMatchObject({ status: 200, body: { status: "ready" } });
    doors.readiness.set("draining");
    expect(await doors.get("/readyz")).toMatchObject({ status: 503, body: { status: "draining" } });
    doors.readiness.set("ready");
    expect(await doors.get("/readyz")).toMatchObject({ status: 503, body: { status: "draining" } });
  });

  test("is 200 and degraded, with the reason and what waits, while the disk refuses the log", async () => {
    const trouble = {
      reason: "ENOSPC: no space left on device, write",
      since: Date.parse("2026-11-22T08:00:00.000Z"),
      impressionsWaiting: 12,
    };
    const degraded = await openDoors({ logTrouble: async () => trouble });
    onTestFinished(() => degraded.close());
    expect(await degraded.get("/readyz")).toMatchObject({
      status: 200,
      body: {
        status: "degraded",
        detail:
          "the disk has refused the outcome log since 2026-11-22T08:00:00.000Z: " +
          "ENOSPC: no space left on device, write; outcomes are refused, 12 impressions wait in memory",
      },
    });
    const asked = new Client(degraded.grpcAddress, credentials.createInsecure());
    onTestFinished(() => asked.close());
    expect((await healthAt(asked, "")).message).toEqual({ status: "SERVING" });
    degraded.readiness.set("draining");
    expect(await degraded.get("/readyz")).toMatchObject({ status: 503, body: { status: "draining" } });
  });

  test("does not touch liveness, nor the requests that still come", async () => {
    doors.readiness.set("draining");
    expect(await doors.get("/livez")).toMatchObject({ status: 200, body: { status: "live" } });
    const answer = await doors.post("/v1/rank", request);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("connection")).toBe("close");
    expect((await doors.grpc.call("setlist.v1.RankingService", "Rank", request)).code).toBe("OK");
  });
});

describe("gRPC health", () => {
  test.each(["", ...services])("of %j follows readiness", async (service) => {
    expect((await health(service)).message).toEqual({ status: "SERVING" });
    doors.readiness.set("draining");
    expect((await health(service)).message).toEqual({ status: "NOT_SERVING" });
  });

  test("of a service that is not offered is NOT_FOUND", async () => {
    expect((await health("setlist.v1.Nothing")).code).toBe("NOT_FOUND");
  });

  test("tells a watcher of the drain, and does not hold up the close", async () => {
    const watch = healthService["Watch"] as MethodDefinition<object, object>;
    const call = client.makeServerStreamRequest(
      watch.path,
      watch.requestSerialize,
      watch.responseDeserialize,
      {
        service: "",
      },
    );
    const seen: unknown[] = [];
    const ended = new Promise((resolve) => call.on("end", resolve).on("error", resolve));
    const first = new Promise((resolve) => call.once("data", resolve));
    call.on("data", (status) => seen.push(status));
    await first;
    doors.readiness.set("draining");
    const began = performance.now();
    await doors.closeGrpc();
    await ended;
    expect(seen).toEqual([{ status: "SERVING" }, { status: "NOT_SERVING" }]);
    // Long before the grace.
    expect(performance.now() - began).toBeLessThan(30_000);
  });
});

describe("reflection", () => {
  type Reflection = { ServerReflectionInfo(): import("@grpc/grpc-js").ClientDuplexStream<object, object> };
  const ask = (question: object): Promise<object> => {
    const contract = loadSync("grpc/reflection/v1/reflection.proto", {
      includeDirs: ["node_modules/@grpc/reflection/build/proto"],
      oneofs: true,
    });
    const loaded = loadPackageDefinition(contract) as unknown as {
      grpc: {
        reflection: {
          v1: { ServerReflection: new (address: string, c: unknown) => Reflection & { close(): void } };
        };
      };
    };
    const reflection = new loaded.grpc.reflection.v1.ServerReflection(
      doors.grpcAddress,
      credentials.createInsecure(),
    );
    const stream = reflection.ServerReflectionInfo();
    return new Promise<object>((resolve, reject) => {
      stream.on("error", reject);
      stream.on("data", (answer: object) => {
        stream.end();
        resolve(answer);
      });
      stream.write(question);
    }).finally(() => reflection.close());
  };

  test("lists every service", async () => {
    const answer = await ask({ listServices: "" });
    expect(answer).toMatchObject({
      listServicesResponse: {
        service: expect.arrayContaining(
          [...services, "grpc.health.v1.Health"].map((name) => expect.objectContaining({ name })),
        ),
      },
    });
  });

  test.each(["setlist.v1.RankingService", "setlist.v1.FeatureValue", "grpc.health.v1.Health"])(
    "describes %s",
    async (fileContainingSymbol) => {
      const answer = await ask({ fileContainingSymbol });
      expect(answer).toMatchObject({
        messageResponse: "fileDescriptorResponse",
        fileDescriptorResponse: { fileDescriptorProto: expect.arrayContaining([expect.any(Buffer)]) },
      });
    },
  );

  test("describes fields as proto/ writes them, in files that a strict reader accepts", async () => {
    const answer = (await ask({ fileContainingSymbol: "setlist.v1.RankingService" })) as {
      fileDescriptorResponse: { fileDescriptorProto: Buffer[] };
    };
    const files = answer.fileDescriptorResponse.fileDescriptorProto;
    const registry = createFileRegistry(
      create(FileDescriptorSetSchema, {
        file: files.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes)),
      }),
    );
    const request = registry.getMessage("setlist.v1.RankRequest");
    expect(request?.fields.map(({ name, jsonName }) => [name, jsonName])).toEqual([
      ["request_id", "requestId"],
      ["surface", "surface"],
      ["user", "user"],
      ["context", "context"],
      ["candidates", "candidates"],
      ["candidate_ids", "candidateIds"],
      ["limit", "limit"],
      ["timeout_ms", "timeoutMs"],
      ["explain", "explain"],
      ["interleave_id", "interleaveId"],
      ["session", "session"],
    ]);
    const optional = request?.fields.filter((field) => field.proto.proto3Optional).map((field) => field.name);
    expect(optional).toEqual(["request_id", "limit", "timeout_ms", "interleave_id"]);
    const user = registry.getMessage("setlist.v1.User");
    expect(user?.proto.nestedType.map((nested) => nested.name)).toEqual(["AttributesEntry", "FeaturesEntry"]);
    expect(user?.fields.map((field) => field.fieldKind)).toEqual(["scalar", "map", "map"]);
  });
});

describe.each([false, true])("a close, with ports shared with other processes: %s", (sharedPorts) => {
  test("answers what is in flight on both transports", async () => {
    const receipt = { accepted: 1, duplicates: 0, rejected: [] };
    const waiting = new Gate();
    const slow = await openDoors({
      serving: { recordOutcomes: () => waiting.enter().then(() => receipt) },
      sharedPorts,
      connectionRules: { closeGraceMs: 60_000 },
      closeGraceMs: 60_000,
    });
    const overHttp = slow.post("/v1/outcomes", { outcomes: [{}] });
    const overGrpc = slow.grpc.call("setlist.v1.OutcomeService", "Record", { outcomes: [{}] });
    await waiting.holds(2);
    const closed = Promise.all([slow.closeHttp(), slow.closeGrpc()]);
    await delay(50);
    waiting.open();
    const releasedAt = performance.now();
    expect((await overHttp).body).toEqual(receipt);
    expect((await overGrpc).message).toEqual(receipt);
    await closed;
    // Long before the grace: connections that a client keeps do not hold the server open.
    expect(performance.now() - releasedAt).toBeLessThan(30_000);
    slow.grpc.close();
  });

  test("cuts off what has not ended after the grace", async () => {
    const waiting = new Gate();
    const stuck = await openDoors({
      serving: { recordOutcomes: () => waiting.enter().then(() => Promise.reject(new Error("too late"))) },
      sharedPorts,
      connectionRules: { closeGraceMs: 100 },
      closeGraceMs: 100,
    });
    const overHttp = stuck.post("/v1/outcomes", { outcomes: [{}] }).catch((error: Error) => error.name);
    const overGrpc = stuck.grpc.call("setlist.v1.OutcomeService", "Record", { outcomes: [{}] });
    await waiting.holds(2);
    await Promise.all([stuck.closeHttp(), stuck.closeGrpc()]);
    expect(await overHttp).toBe("TypeError");
    expect((await overGrpc).code).not.toBe("OK");
    stuck.grpc.close();
  });
});

describe("a port that is taken", () => {
  const clock = { now: () => 0, monotonic: () => 0 };
  const telemetry = createTelemetry({ clock, logLevel: "fatal" });
  const context = {
    ...telemetry,
    clock,
    serving: {} as Serving,
    experiments: storeOf([]),
    health: { healthOf: () => Promise.reject(new Error("not asked")) },
    writes: writesOf(storeOf([])),
    surfaces: new Map(),
    scorer: {} as Scorer,
    models: standingLibrary(),
    readiness: createReadiness(),
    logTrouble: async () => undefined,
    limits: defaultLimits,
  };

  test("stops the start of HTTP with the flag that would help", async () => {
    const second = createHttpServer(context);
    const port = Number(new URL(doors.http).port);
    const detail = `http: cannot listen on 127.0.0.1:${port}: the port is in use; stop what uses it or choose another with --http-port`;
    await expect(second.listen("127.0.0.1", port)).rejects.toThrow(detail);
    await second.close();
  });

  test("is shared by those who say so, and with nobody else", async () => {
    const [one, other, alone] = [0, 1, 2].map(() => createGrpcServer(context));
    const port = await one?.listen("127.0.0.1", 0, true);
    expect(await other?.listen("127.0.0.1", port ?? 0, true)).toBe(port);
    await expect(alone?.listen("127.0.0.1", port ?? 0)).rejects.toThrow("the port is in use");
    await Promise.all([one?.close(), other?.close(), alone?.close()]);
  });

  test("stops the start of gRPC likewise", async () => {
    const second = createGrpcServer(context);
    const port = Number(doors.grpcAddress.split(":")[1]);
    await expect(second.listen("127.0.0.1", port)).rejects.toThrow("choose another with --grpc-port");
    await second.close();
  });
});

describe("below HTTP", () => {
  /** Sends bytes as they are and reads until the server closes. */
  const raw = (bytes: string, port = new URL(doors.http).port) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), "127.0.0.1", () => socket.write(bytes));
      let received = "";
      socket.on("data", (chunk) => {
        received += chunk.toString();
      });
      socket.on("error", reject);
      socket.on("close", () => resolve(received));
    });
  const problemOf = (answer: string) => JSON.parse(answer.slice(answer.indexOf("\r\n\r\n") + 4));

  test.each([
    [
      "bytes that are no HTTP",
      "\x16\x03\x01 hello\r\n\r\n",
      400,
      "INVALID_ARGUMENT",
      "request: not valid HTTP/1.1",
    ],
    [
      "headers that are too large",
      `GET /livez HTTP/1.1\r\nHost: x\r\nCookie: ${"c".repeat(20_000)}\r\n\r\n`,
      431,
      "PAYLOAD_TOO_LARGE",
      "headers: ",
    ],
    [
      "requests without a host",
      "GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n",
      400,
      "INVALID_ARGUMENT",
      "host: expected, as HTTP/1.1 asks",
    ],
    [
      "expectations that are unknown",
      "POST /v1/rank HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: foo\r\nContent-Length: 0\r\n\r\n",
      417,
      "INVALID_ARGUMENT",
      'expect: expected 100-continue or none, got "foo"',
    ],
  ])("%s are refused in the same form", async (_name, bytes, status, code, detail) => {
    const answer = await raw(bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toMatch(/^content-type: application\/problem\+json[;\r]/im);
    expect(problemOf(answer)).toMatchObject({ status, code, detail: expect.stringContaining(detail) });
  });

  test("a body that does not come is given up in time", async () => {
    const impatient = await openDoors({ connectionRules: { requestTimeoutMs: 300, headersTimeoutMs: 200 } });
    const answer = await raw(
      "POST /v1/rank HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{",
      new URL(impatient.http).port,
    );
    const { text } = await impatient.get("/metrics");
    await impatient.close();
    expect(text).toContain('setlist_requests_total{transport="http",route="none",code="408"} 1\n');
    expect(answer).toMatch(/^HTTP\/1.1 408 /);
    expect(problemOf(answer)).toMatchObject({ status: 408, code: "DEADLINE_EXCEEDED" });
  });

  test("what a client may leave out or ask for is answered", async () => {
    expect(await raw("GET /livez HTTP/1.0\r\n\r\n")).toMatch(/^HTTP\/1.1 200 /);
    const continued = await raw(
      "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\n\r\n",
    );
    expect(continued).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 /);
  });

  test("what the parser refuses is counted", async () => {
    await raw("no HTTP\r\n\r\n");
    const { text } = await doors.get("/metrics");
    expect(text).toContain('setlist_requests_total{transport="http",route="none",code="400"} 1\n');
    expect(text).not.toContain('setlist_request_duration_seconds_count{transport="http",route="none"}');
  });

  describe("a connection opened ahead of its first request", () => {
    const rules = { headersTimeoutMs: 100, requestTimeoutMs: 200 };
    /** Opens a connection, and sends nothing; `ended` resolves with what had come by its end. */
    const silence = async (server: Doors) => {
      const socket = connect(Number(new URL(server.http).port), "127.0.0.1");
      let received = "";
      socket.on("data", (chunk) => {
        received += chunk.toString();
      });
      const ended = new Promise<string>((resolve) => socket.on("close", () => resolve(received)));
      await new Promise((resolve) => socket.once("connect", resolve));
      return { socket, ended };
    };

    test("outlives the time for headers, and is then served", async () => {
      const server = await openDoors({ connectionRules: { ...rules, keepAliveTimeoutMs: 20_000 } });
      const { socket, ended } = await silence(server);
      // Node looks for late requests once a second.
      await delay(2_300);
      socket.write("GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
      expect(await ended).toMatch(/^HTTP\/1.1 200 /);
      await server.close();
    });

    test("still has to bring its headers in time once it has begun", async () => {
      const server = await openDoors({ connectionRules: { ...rules, keepAliveTimeoutMs: 20_000 } });
      const { socket, ended } = await silence(server);
      await delay(1_300);
      socket.write("GET /livez HTTP/1.1\r\nHost:");
      expect(await ended).toMatch(/^HTTP\/1.1 408 /);
      await server.close();
    });

    test("is closed without a word after the time for idle connections", async () => {
      const server = await openDoors({ connectionRules: { ...rules, keepAliveTimeoutMs: 300 } });
      const { ended } = await silence(server);
      expect(await ended).toBe("");
      await server.close();
    });

    test("does not hold up a close", async () => {
      const server = await openDoors({ connectionRules: { closeGraceMs: 60_000 } });
      const { ended } = await silence(server);
      const began = performance.now();
      await server.close();
      expect(await ended).toBe("");
      expect(performance.now() - began).toBeLessThan(30_000);
    });
  });

  test("a client that leaves in the middle of its body is no defect of ours", async () => {
    const { port } = new URL(doors.http);
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), "127.0.0.1", () => {
        socket.write(
          "POST /v1/rank HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{",
          () => setTimeout(() => socket.destroy(), 20),
        );
      });
      socket.on("close", () => resolve());
    });
    await delay(100);
    expect((await doors.get("/livez")).status).toBe(200);
    expect(doors.logged.filter((line) => line["level"] === "error")).toEqual([]);
  });
});
