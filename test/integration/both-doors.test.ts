import { afterAll, beforeAll, expect, test } from "vitest";
import { type GrpcCaller, grpcCaller } from "../support/grpc-caller.ts";
import { rankMessage } from "../support/rank-message.ts";
import { type RunningApp, startApp } from "../support/running-app.ts";
import { suiteFolder } from "../support/temporary-folder.ts";

let folder: Awaited<ReturnType<typeof suiteFolder>>;
let app: RunningApp;
let grpc: GrpcCaller;
beforeAll(async () => {
  folder = await suiteFolder();
  app = await startApp(folder.path);
  grpc = grpcCaller(app.grpc);
});
afterAll(async () => {
  grpc.close();
  await app.stop();
  await folder.remove();
});

const rankOverGrpc = (request: Record<string, unknown>) =>
  grpc.call("setlist.v1.RankingService", "Rank", rankMessage(request));

test("the whole server ranks the same request alike over both transports", async () => {
  const request = {
    requestId: "both-1",
    surface: "home",
    user: { id: "u42", attributes: { country: "DE" } },
    candidateIds: ["t7", "t9", "t12", "t40", "nobody-knows-this-track"],
    limit: 3,
    timeoutMs: 5_000,
  };
  const overHttp = await app.post("/v1/rank", request);
  const overGrpc = await rankOverGrpc(request);
  expect(overHttp).toMatchObject({ status: 200, body: { degraded: ["defaults:1"] } });
  expect((overHttp.body as { items: unknown[] }).items).toHaveLength(3);
  expect(overGrpc.message).toMatchObject(overHttp.body as object);
  expect(overHttp.headers.get("server-timing")).toMatch(/^assign;dur=.*inference;dur=.*rank;dur=/);
});

test("an inline feature that does not fit the model is refused by its name over both", async () => {
  const request = {
    surface: "home",
    user: { id: "u42" },
    candidates: [{ id: "t7", features: { content: [1, 2, 3] } }],
  };
  const overHttp = await app.post("/v1/rank", request);
  const overGrpc = await rankOverGrpc(request);
  const detail = expect.stringContaining("content");
  expect(overHttp.body).toMatchObject({ status: 400, code: "INVALID_ARGUMENT", detail });
  expect(overGrpc).toMatchObject({ code: "INVALID_ARGUMENT", detail });
});

test("an outcome over one transport is a duplicate over the other", async () => {
  const outcomes = [{ outcomeId: "both-o1", requestId: "both-1", itemId: "t7", type: "click" }];
  const overHttp = await app.post("/v1/outcomes", { outcomes });
  const overGrpc = await grpc.call("setlist.v1.OutcomeService", "Record", { outcomes });
  expect(overHttp.body).toEqual({ accepted: 1, duplicates: 0, rejected: [] });
  expect(overGrpc.message).toEqual({ accepted: 0, duplicates: 1, rejected: [] });
});
