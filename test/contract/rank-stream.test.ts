import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { SetlistError } from "../../src/domain/error.ts";
import type { RankAnswer } from "../../src/domain/rank.ts";
import type { Serving, WireRankRequest } from "../../src/serving/serving.ts";
import { type Doors, openDoors } from "../support/doors.ts";
import { rankMessage } from "../support/rank-message.ts";
import { type RankStreamClient, rankStreamClient } from "../support/rank-stream-client.ts";

let doors: Doors;
let client: RankStreamClient;
afterEach(async () => {
  client.close();
  await doors.close();
});

async function open(change: Parameters<typeof openDoors>[0] = {}): Promise<void> {
  doors = await openDoors({ closeGraceMs: 5_000, ...change });
  client = rankStreamClient(doors.grpcAddress);
}

const request = (requestId?: string) => ({
  surface: "home",
  user: { id: "u1" },
  candidateIds: ["t1", "t2", "t3"],
  ...(requestId === undefined ? {} : { requestId }),
});

/** A core that holds each request until the test lets it go. */
class HeldRanks {
  readonly held = new Map<
    string,
    { signal: AbortSignal | undefined; answer(): void; fail(error: Error): void }
  >();
  /** The most that were held at once. */
  peak = 0;

  readonly serving: Pick<Serving, "rank"> = {
    rank: (wire, _receivedAt, _timeoutMs, signal) => {
      const { promise, resolve, reject } = Promise.withResolvers<RankAnswer>();
      const id = wire.requestId ?? "";
      const settle = (end: () => void) => () => {
        this.held.delete(id);
        end();
      };
      const one = {
        signal,
        answer: settle(() => resolve(answerTo(wire))),
        fail: (error: Error) => settle(() => reject(error))(),
      };
      this.held.set(id, one);
      this.peak = Math.max(this.peak, this.held.size);
      return promise;
    },
  };

  async holds(count: number): Promise<void> {
    while (this.held.size < count) await delay(2);
  }

  /** Answers whatever comes from now on, too. */
  async answerUntil(count: number): Promise<void> {
    for (let answered = 0; answered < count; ) {
      await this.holds(1);
      for (const one of this.held.values()) {
        one.answer();
        answered++;
      }
    }
  }
}

const answerTo = (wire: WireRankRequest): RankAnswer => ({
  requestId: wire.requestId ?? "",
  surface: wire.surface,
  items: [],
  assignments: [],
  model: undefined,
  degraded: [],
  timings: { assign: 1, features: 2, queue: 3, inference: 4, rank: 5 },
  decisions: undefined,
});

const counted = async (code: string): Promise<number> => {
  const { text } = await doors.get("/metrics");
  const series = `setlist_requests_total{transport="grpc",route="RankingService/RankStream",code="${code}"} `;
  return Number(
    text
      .split("\n")
      .find((line) => line.startsWith(series))
      ?.slice(series.length) ?? 0,
  );
};

describe("a stream of rank requests", () => {
  test("answers each as a unary call would, with its timings", async () => {
    await open();
    const full = {
      ...request("r1"),
      user: { id: "u1", attributes: { country: "DE" }, features: { taste: [0.5, 1] } },
      candidateIds: ["unknown-1", "t2", "t3"],
      limit: 2,
      explain: true,
    };
    const call = client.open();
    await call.send(rankMessage(full));
    const [got] = await call.count(1);
    const unary = await doors.grpc.call("setlist.v1.RankingService", "Rank", rankMessage(full));
    expect(got).toMatchObject({ sequence: 0, requestId: "r1", result: "answer" });
    expect(got?.answer).toEqual(unary.message);
    expect(got?.serverTiming).toEqual({
      assign: expect.any(Number),
      features: expect.any(Number),
      queue: 0.5,
      inference: 1.25,
      rank: expect.any(Number),
    });
    call.halfClose();
    expect((await call.ended).code).toBe("OK");
    expect(await counted("OK")).toBe(1);
  });

  test("makes an id for a request that has none, and counts its place on the call", async () => {
    await open();
    const call = client.open();
    await call.send(request());
    await call.send(request());
    const got = await call.count(2);
    expect(got.map(({ sequence }) => sequence)).toEqual([0, 1]);
    for (const { requestId, answer } of got) {
      expect(requestId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab]/);
      expect(answer?.["requestId"]).toBe(requestId);
    }
    expect(new Set(got.map(({ requestId }) => requestId)).size).toBe(2);
    call.cancel();
  });

  test("answers each as soon as it is ready, whatever was sent before it", async () => {
    const ranks = new HeldRanks();
    await open({ serving: ranks.serving });
    const call = client.open();
    await call.send(request("slow"));
    await call.send(request("fast"));
    await ranks.holds(2);
    ranks.held.get("fast")?.answer();
    await call.count(1);
    ranks.held.get("slow")?.answer();
    const got = await call.count(2);
    expect(got.map(({ requestId, sequence }) => [requestId, sequence])).toEqual([
      ["fast", 1],
      ["slow", 0],
    ]);
    call.cancel();
  });

  test("is open to the client before its first request", async () => {
    await open();
    const call = client.open();
    call.halfClose();
    expect(await call.ended).toMatchObject({ code: "OK" });
    expect(call.received).toEqual([]);
  });

  test("gives what is left of the call's deadline to each request, and ends at it", async () => {
    const seen: (number | undefined)[] = [];
    await open({
      serving: {
        rank: async (wire, _receivedAt, timeoutMs) => {
          seen.push(timeoutMs);
          return wire.requestId === "never" ? new Promise(() => {}) : answerTo(wire);
        },
      },
    });
    const call = client.open({ deadline: Date.now() + 2_000 });
    await call.send(request("first"));
    await call.count(1);
    await delay(100);
    await call.send(request("never"));
    expect((await call.ended).code).toBe("DEADLINE_EXCEEDED");
    const [first = 0, second = 0] = seen;
    expect(first).toBeLessThanOrEqual(2_000);
    expect(second).toBeLessThanOrEqual(first - 90);
  });
});

describe("a request that is refused", () => {
  test("gets its error as an answer, and the others go on", async () => {
    await open({ limits: { bodyBytesMax: 2_000 } });
    const call = client.open();
    await call.send(request("good-1"));
    await call.send(Buffer.from([0x0a, 0x7f, 0x01]));
    await call.send(Buffer.alloc(0));
    await call.send({ ...request("bad-surface"), surface: "hme" });
    await call.send({ ...request("too-large"), candidateIds: [`t${"x".repeat(3_000)}`] });
    await call.send({ ...request("x".repeat(257)) });
    await call.send(request("good-2"));
    call.halfClose();
    expect(await call.ended).toMatchObject({ code: "OK" });
    const got = call.received.toSorted((a, b) => a.sequence - b.sequence);
    const made = expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    const invalid = (detail: string) => ({
      code: "INVALID_ARGUMENT",
      detail: expect.stringContaining(detail),
    });
    expect(got).toMatchObject([
      { requestId: "good-1", result: "answer" },
      { requestId: made, error: invalid("body: malformed protobuf: ") },
      { requestId: made, error: invalid("surface: expected, but missing") },
      { requestId: "bad-surface", error: invalid('surface: no surface "hme" (did you mean "home"?)') },
      { requestId: made, error: { code: "PAYLOAD_TOO_LARGE", detail: "body: expected at most 2000 bytes" } },
      { requestId: made, error: invalid("requestId: expected an id of 1 to 256 bytes, got 257") },
      { requestId: "good-2", result: "answer" },
    ]);
    expect(await counted("OK")).toBe(2);
    expect(await counted("INVALID_ARGUMENT")).toBe(4);
    expect(await counted("RESOURCE_EXHAUSTED")).toBe(1);
  });

  test("says when it is worth trying again", async () => {
    await open({
      serving: {
        rank: () => Promise.reject(new SetlistError("RESOURCE_EXHAUSTED", "full", { retryAfterSeconds: 7 })),
      },
    });
    const call = client.open();
    await call.send(request("r1"));
    const [got] = await call.count(1);
    expect(got?.error).toMatchObject({ code: "RESOURCE_EXHAUSTED", detail: "full", retryAfterSeconds: 7 });
    expect(got?.serverTiming).toBeNull();
    call.cancel();
  });

  test("by a defect of ours shows nothing but the id under which it was logged", async () => {
    await open({ serving: { rank: () => Promise.reject(new Error("password=hunter2")) } });
    const call = client.open();
    await call.send(request("r-42"));
    const [got] = await call.count(1);
    expect(got).toMatchObject({ requestId: "r-42", error: { code: "INTERNAL" } });
    expect(JSON.stringify(got)).not.toContain("hunter2");
    expect(doors.logged).toMatchObject([
      { level: "error", requestId: "r-42", transport: "grpc", route: "RankingService/RankStream" },
    ]);
    call.cancel();
  });
});

describe("a client that has sent everything", () => {
  test("gets what is in flight, then the end", async () => {
    const ranks = new HeldRanks();
    await open({ serving: ranks.serving });
    const call = client.open();
    for (const id of ["a", "b", "c"]) await call.send(request(id));
    call.halfClose();
    await ranks.holds(3);
    await delay(20);
    await ranks.answerUntil(3);
    expect(await call.ended).toMatchObject({ code: "OK" });
    expect(call.received.map(({ requestId }) => requestId)).toEqual(["a", "b", "c"]);
  });
});

describe("a client that cancels", () => {
  test("has its requests given up, those not yet read too, and the other streams go on", async () => {
    const ranks = new HeldRanks();
    await open({ serving: ranks.serving, limits: { streamRequestsInFlightMax: 2 } });
    const other = client.open();
    await other.send(request("other"));
    await ranks.holds(1);
    const call = client.open();
    for (let i = 0; i < 5; i++) void call.send(request(`r${i}`));
    await ranks.holds(3);
    const { signal } = ranks.held.get("r0") ?? {};
    expect(signal?.aborted).toBe(false);
    call.cancel();
    expect((await call.ended).code).toBe("CANCELLED");
    while (signal?.aborted !== true) await delay(2);
    ranks.held.get("r0")?.answer();
    ranks.held.get("r1")?.fail(new Error("given up"));
    await delay(50);
    expect([...ranks.held.keys()]).toEqual(["other"]);
    expect(ranks.held.get("other")?.signal?.aborted).toBe(false);
    ranks.held.get("other")?.answer();
    expect(await other.count(1)).toMatchObject([{ requestId: "other", result: "answer" }]);
    expect(await counted("CANCELLED")).toBe(2);
    expect(doors.logged).toEqual([]);
    other.cancel();
  });

  test("over a connection that breaks is the same", async () => {
    const ranks = new HeldRanks();
    await open({ serving: ranks.serving, closeGraceMs: 50 });
    const call = client.open();
    await call.send(request("r1"));
    await ranks.holds(1);
    const { signal } = ranks.held.get("r1") ?? {};
    await doors.closeGrpc();
    expect((await call.ended).code).not.toBe("OK");
    expect(signal?.aborted).toBe(true);
  });
});

describe("a client that sends faster than is answered", () => {
  test("is not read from past the bound, and gets every answer in the end", async () => {
    const ranks = new HeldRanks();
    await open({ serving: ranks.serving, limits: { streamRequestsInFlightMax: 4 } });
    const call = client.open();
    const total = 200;
    // Each is 10 kB, so that HTTP/2's window, too, is far smaller than what is sent.
    const candidateIds = Array.from({ length: 1_000 }, (_, i) => `track-${i}`);
    let sent = 0;
    for (let i = 0; i < total; i++) {
      void call.send({ ...request(`r${i}`), candidateIds }).then(() => sent++);
    }
    call.halfClose();
    await ranks.holds(4);
    await delay(100);
    expect(ranks.held.size).toBe(4);
    expect(sent).toBeLessThan(total / 2);
    await ranks.answerUntil(total);
    expect(await call.ended).toMatchObject({ code: "OK" });
    expect(ranks.peak).toBe(4);
    expect(new Set(call.received.map(({ requestId }) => requestId)).size).toBe(total);
  });

  test("and does not read its answers, is not read from either", async () => {
    const items = Array.from({ length: 1_000 }, (_, i) => ({
      id: `track-${i}`,
      position: i + 1,
      score: 1,
      tasks: { click: 0.5 },
    }));
    let ranked = 0;
    await open({
      serving: {
        rank: async (wire) => {
          ranked++;
          return { ...answerTo(wire), items };
        },
      },
      limits: { streamRequestsInFlightMax: 4 },
    });
    const call = client.open();
    call.pause();
    const total = 200;
    for (let i = 0; i < total; i++) void call.send(request(`r${i}`));
    call.halfClose();
    await delay(200);
    // What the windows of HTTP/2 and the buffers on both sides hold, and no more.
    expect(ranked).toBeLessThan(total / 2);
    call.resume();
    expect(await call.ended).toMatchObject({ code: "OK" });
    expect(call.received.length).toBe(total);
  });
});

describe("a server that stops", () => {
  test("answers what has arrived, then tells the client to go elsewhere", async () => {
    const ranks = new HeldRanks();
    await open({ serving: ranks.serving, limits: { streamRequestsInFlightMax: 2 } });
    const call = client.open();
    for (const id of ["a", "b", "c", "d"]) await call.send(request(id));
    await ranks.holds(2);
    // Time for what is not read yet to arrive.
    await delay(50);
    const closed = doors.closeGrpc();
    await delay(20);
    await ranks.answerUntil(4);
    const began = performance.now();
    const end = await call.ended;
    await closed;
    expect(call.received.map(({ requestId }) => requestId)).toEqual(["a", "b", "c", "d"]);
    expect(end).toMatchObject({
      code: "UNAVAILABLE",
      detail: "the server stops: send what was not answered on a new call, to another server",
    });
    expect(end.trailer.get("setlist-code")).toEqual(["UNAVAILABLE"]);
    // The grace is ten seconds.
    expect(performance.now() - began).toBeLessThan(8_000);
  });

  test("does not wait for a client that is silent", async () => {
    await open();
    const call = client.open();
    await call.send(request("r1"));
    await call.count(1);
    const began = performance.now();
    await doors.closeGrpc();
    expect((await call.ended).code).toBe("UNAVAILABLE");
    // The grace is ten seconds.
    expect(performance.now() - began).toBeLessThan(8_000);
  });
});

describe("a unary call that ends before its answer", () => {
  test("aborts its ranking, and is counted as cancelled", async () => {
    const ranks = new HeldRanks();
    await open({ serving: ranks.serving });
    const answer = doors.grpc.call("setlist.v1.RankingService", "Rank", request("r1"), {
      deadline: Date.now() + 1_000,
    });
    await ranks.holds(1);
    const { signal } = ranks.held.get("r1") ?? {};
    expect((await answer).code).toBe("DEADLINE_EXCEEDED");
    while (signal?.aborted !== true) await delay(2);
    ranks.held.get("r1")?.fail(new Error("given up"));
    await delay(10);
    const { text } = await doors.get("/metrics");
    expect(text).toContain('route="RankingService/Rank",code="CANCELLED"} 1');
    expect(doors.logged).toEqual([]);
  });
});
