import { afterEach, describe, expect, test } from "vitest";
import type { Doors } from "../support/doors.ts";
import { openFullDoors } from "../support/full-doors.ts";
import { rankMessage } from "../support/rank-message.ts";
import { type RankStreamClient, rankStreamClient } from "../support/rank-stream-client.ts";

const request = (requestId: string) => ({
  requestId,
  surface: "home",
  user: { id: "u1" },
  candidateIds: ["t1", "t2"],
});
const detail = "more rank requests come than can be answered in time";

let doors: Doors;
let client: RankStreamClient | undefined;
let letGo: () => void;

async function openFull(): Promise<{ first: Promise<unknown> }> {
  const full = await openFullDoors(request("first"));
  ({ doors, letGo } = full);
  return full;
}

afterEach(async () => {
  letGo();
  client?.close();
  client = undefined;
  await doors.close();
});

const counted = async (line: string): Promise<boolean> => (await doors.get("/metrics")).text.includes(line);

describe("a rank request for which there is no room", () => {
  test("gets 429 over HTTP, before its body is looked at", async () => {
    await openFull();
    const refused = await doors.post("/v1/rank", "{ no JSON");
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(refused.headers.get("content-type")).toBe("application/problem+json");
    expect(refused.headers.get("request-id")).toBe(refused.body["requestId"]);
    expect(refused.body).toEqual({
      type: "urn:setlist:error:resource-exhausted",
      title: "Too many requests",
      status: 429,
      detail,
      code: "RESOURCE_EXHAUSTED",
      requestId: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
    });
    expect(await counted('setlist_requests_total{transport="http",route="/v1/rank",code="429"} 1')).toBe(
      true,
    );
  });

  test("gets 429 also where a query hides the path from the door", async () => {
    await openFull();
    const refused = await doors.post("/v1/rank?trace=1", request("r2"));
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "1"]);
    expect(refused.body).toMatchObject({ code: "RESOURCE_EXHAUSTED", detail, requestId: "r2" });
  });

  test("gets RESOURCE_EXHAUSTED over gRPC, alone and on a stream", async () => {
    await openFull();
    const unary = await doors.grpc.call("setlist.v1.RankingService", "Rank", rankMessage(request("r2")));
    expect(unary).toMatchObject({ code: "RESOURCE_EXHAUSTED", detail });
    client = rankStreamClient(doors.grpcAddress);
    const call = client.open();
    await call.send(request("r3"));
    const [refused] = await call.count(1);
    expect(refused).toMatchObject({ requestId: "r3", error: { code: "RESOURCE_EXHAUSTED", detail } });
    call.cancel();
  });

  test("leaves its connection as it was: the next one on it is answered", async () => {
    const { first } = await openFull();
    expect((await doors.post("/v1/rank", request("r2"))).status).toBe(429);
    letGo();
    await first;
    expect((await doors.post("/v1/rank", request("r3"))).status).toBe(200);
  });

  test("is told to go elsewhere by a server that drains", async () => {
    await openFull();
    doors.readiness.set("draining");
    const refused = await doors.post("/v1/rank", request("r2"));
    expect([refused.status, refused.headers.get("connection")]).toEqual([429, "close"]);
  });
});

describe("a server without room for rankings", () => {
  test("takes outcomes, answers probes, and says how many it ranks at a time", async () => {
    await openFull();
    const outcome = { outcomeId: "o1", requestId: "first", itemId: "t1", type: "click" };
    expect((await doors.post("/v1/outcomes", { outcomes: [outcome] })).body).toMatchObject({ accepted: 1 });
    expect((await doors.get("/readyz")).status).toBe(200);
    expect((await doors.get("/v1/experiments")).status).toBe(200);
    expect((await doors.post("/v1/assignments", { unit: "u1" })).status).toBe(200);
    expect((await doors.get("/v1/rank")).status).toBe(405);
    expect(await counted("\nsetlist_rank_in_flight 1\n")).toBe(true);
    expect(await counted("\nsetlist_rank_in_flight_limit 1\n")).toBe(true);
  });
});
