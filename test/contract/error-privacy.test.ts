import { afterEach, expect, test } from "vitest";
import { SetlistError } from "../../src/domain/error.ts";
import { type Doors, openDoors } from "../support/doors.ts";

let doors: Doors;
afterEach(() => doors.close());

const request = { requestId: "r-42", surface: "home", user: { id: "u1" }, candidateIds: ["t1"] };
const secret = "connect ECONNREFUSED db-7.internal:5432 password=hunter2";
const failing = (error: unknown) => openDoors({ serving: { rank: () => Promise.reject(error) } });
const rankOverGrpc = () => doors.grpc.call("setlist.v1.RankingService", "Rank", request);

test("an unexpected error shows nothing over HTTP but the id under which it was logged", async () => {
  doors = await failing(new Error(secret));
  const answer = await doors.post("/v1/rank", request);
  expect(answer.body).toMatchObject({ status: 500, code: "INTERNAL", requestId: "r-42" });
  expect(answer.text).not.toContain("hunter2");
  expect(answer.text).not.toContain("stack");
  expect(doors.logged).toMatchObject([
    { level: "error", requestId: "r-42", transport: "http", route: "/v1/rank", err: { message: secret } },
  ]);
});

test("an unexpected error shows nothing over gRPC but the id under which it was logged", async () => {
  doors = await failing(new Error(secret));
  const answer = await rankOverGrpc();
  expect(answer).toMatchObject({ code: "INTERNAL", detail: expect.not.stringContaining("hunter2") });
  expect(answer.trailer.get("setlist-code")).toEqual(["INTERNAL"]);
  expect(answer.trailer.get("request-id")).toEqual(["r-42"]);
  expect(doors.logged).toMatchObject([
    { level: "error", requestId: "r-42", transport: "grpc", err: { message: secret } },
  ]);
});

test.each([
  ["a string", "boom"],
  ["nothing", undefined],
  ["null", null],
  ["an error with a status of its own", Object.assign(new Error(secret), { statusCode: 418, code: "E_X" })],
  ["an error that calls itself internal", new SetlistError("INTERNAL", secret)],
])("whatever is thrown, %s, is an internal error on both transports", async (_name, thrown) => {
  doors = await failing(thrown);
  const overHttp = await doors.post("/v1/rank", request);
  const overGrpc = await rankOverGrpc();
  expect(overHttp.body).toMatchObject({ status: 500, code: "INTERNAL" });
  expect(overGrpc.code).toBe("INTERNAL");
  expect(overHttp.text + overGrpc.detail).not.toContain("hunter2");
});

test.each([
  ["UNAUTHENTICATED", 401, "UNAUTHENTICATED"],
  ["PERMISSION_DENIED", 403, "PERMISSION_DENIED"],
  ["NOT_FOUND", 404, "NOT_FOUND"],
  ["ABORTED", 409, "ABORTED"],
  ["PAYLOAD_TOO_LARGE", 413, "RESOURCE_EXHAUSTED"],
  ["DEADLINE_EXCEEDED", 504, "DEADLINE_EXCEEDED"],
] as const)("%s is %i over HTTP and %s over gRPC, with the same detail", async (code, status, grpcCode) => {
  doors = await failing(new SetlistError(code, "thing: what was wrong"));
  const overHttp = await doors.post("/v1/rank", request);
  const overGrpc = await rankOverGrpc();
  expect(overHttp.body).toMatchObject({ status, code, detail: "thing: what was wrong" });
  expect(overHttp.status).toBe(status);
  expect(overGrpc).toMatchObject({ code: grpcCode, detail: "thing: what was wrong" });
  expect(overGrpc.trailer.get("setlist-code")).toEqual([code]);
});

test.each([
  ["RESOURCE_EXHAUSTED", 429, 7, "7"],
  ["UNAVAILABLE", 503, undefined, "1"],
] as const)("%s says when to come back", async (code, status, retryAfterSeconds, expected) => {
  const options = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
  doors = await failing(new SetlistError(code, "busy", options));
  const overHttp = await doors.post("/v1/rank", request);
  const overGrpc = await rankOverGrpc();
  expect(overHttp.status).toBe(status);
  expect(overHttp.headers.get("retry-after")).toBe(expected);
  expect(overGrpc.code).toBe(code);
  expect(overGrpc.trailer.get("retry-after")).toEqual([expected]);
});

test("a detail that repeats half a megabyte of the request is cut on both transports", async () => {
  doors = await openDoors();
  const name = "é\u{1f3b5}".repeat(50_000);
  const overHttp = await doors.post("/v1/rank", {
    ...request,
    user: { id: "u1", features: { [name]: null } },
  });
  const overGrpc = await doors.grpc.call("setlist.v1.RankingService", "Rank", {
    ...request,
    user: { id: "u1", features: { [name]: {} } },
  });
  expect(overHttp.body).toMatchObject({ status: 400, detail: expect.stringContaining("user.features.é") });
  expect(String(overHttp.body["detail"]).length).toBeLessThanOrEqual(1_000);
  expect(overGrpc).toMatchObject({
    code: "INVALID_ARGUMENT",
    detail: expect.stringContaining("user.features.é"),
  });
  expect(overGrpc.detail.length).toBeLessThanOrEqual(1_000);
});
