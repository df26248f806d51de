import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Doors, httpCall, openDoors } from "../support/doors.ts";
import { rankMessage } from "../support/rank-message.ts";

/** Small limits keep the table's large inputs small. */
const limits = {
  candidatesMax: 20,
  bodyBytesMax: 20_000,
  outcomesMax: 5,
  featureValuesMax: 8,
  entriesMax: 4,
};

let doors: Doors;
beforeAll(async () => {
  doors = await openDoors({ limits });
});
afterAll(() => doors.close());

const good = { surface: "home", user: { id: "u1" }, candidateIds: ["t1", "t2"] };
const without = (field: "surface" | "user" | "candidateIds") => {
  const { [field]: _, ...rest } = good;
  return rest;
};
const withCandidates = (...candidates: object[]) => ({ ...without("candidateIds"), candidates });
const ids = (count: number) => Array.from({ length: count }, (_, i) => `t${i}`);
const record = (count: number, value: unknown) => Object.fromEntries(ids(count).map((id) => [id, value]));
const long = "x".repeat(257);
const multiByte = "€".repeat(86);
const outcome = { outcomeId: "o1", requestId: "r1", itemId: "t1", type: "click" };

/** One bad rank request that both transports can say: the same code and, word for word, the same detail. */
const badRankRequests: [name: string, code: string, detail: string, request: Record<string, unknown>][] = [
  [
    "an unknown surface",
    "INVALID_ARGUMENT",
    'surface: no surface "hme" (did you mean "home"?)',
    { ...good, surface: "hme" },
  ],
  ["no surface", "INVALID_ARGUMENT", "surface: expected, but missing", without("surface")],
  ["no user", "INVALID_ARGUMENT", "user: expected, but missing", without("user")],
  [
    "neither candidates nor candidateIds",
    "INVALID_ARGUMENT",
    "candidates: expected exactly one of candidates and candidateIds, got neither",
    without("candidateIds"),
  ],
  [
    "both candidates and candidateIds",
    "INVALID_ARGUMENT",
    "candidates: expected exactly one of candidates and candidateIds, got both",
    { ...good, candidates: [{ id: "t3" }] },
  ],
  [
    "too many candidates",
    "INVALID_ARGUMENT",
    "candidateIds: expected at most 20 candidates, got 21",
    { ...good, candidateIds: ids(21) },
  ],
  [
    "too many candidates in the long form",
    "INVALID_ARGUMENT",
    "candidates: expected at most 20 candidates, got 21",
    withCandidates(...ids(21).map((id) => ({ id }))),
  ],
  [
    "a duplicate candidate id",
    "INVALID_ARGUMENT",
    'candidateIds[2]: duplicate of candidateIds[0], "a"',
    { ...good, candidateIds: ["a", "b", "a"] },
  ],
  [
    "a duplicate candidate",
    "INVALID_ARGUMENT",
    'candidates[1].id: duplicate of candidates[0], "a"',
    withCandidates({ id: "a" }, { id: "a", features: { plays: 1 } }),
  ],
  [
    "a user id of 257 bytes",
    "INVALID_ARGUMENT",
    "user.id: expected an id of 1 to 256 bytes, got 257",
    { ...good, user: { id: long } },
  ],
  [
    "a user id of 86 characters in 258 bytes",
    "INVALID_ARGUMENT",
    "user.id: expected an id of 1 to 256 bytes, got 258",
    { ...good, user: { id: multiByte } },
  ],
  [
    "a candidate id of 257 bytes",
    "INVALID_ARGUMENT",
    "candidateIds[1]: expected an id of 1 to 256 bytes, got 257",
    { ...good, candidateIds: ["t1", long] },
  ],
  [
    "a request id of 257 bytes",
    "INVALID_ARGUMENT",
    "requestId: expected an id of 1 to 256 bytes, got 257",
    { ...good, requestId: long },
  ],
  [
    "an empty request id",
    "INVALID_ARGUMENT",
    "requestId: expected an id of 1 to 256 bytes, got 0",
    { ...good, requestId: "" },
  ],
  [
    "an empty user id",
    "INVALID_ARGUMENT",
    "user.id: expected an id of 1 to 256 bytes, got 0",
    { ...good, user: { id: "" } },
  ],
  [
    "an empty candidate id",
    "INVALID_ARGUMENT",
    "candidates[1].id: expected an id of 1 to 256 bytes, got 0",
    withCandidates({ id: "t1" }, { id: "" }),
  ],
  [
    "a limit of zero",
    "INVALID_ARGUMENT",
    "limit: expected a whole number of at least 1, got 0",
    { ...good, limit: 0 },
  ],
  [
    "a negative limit",
    "INVALID_ARGUMENT",
    "limit: expected a whole number of at least 1, got -5",
    { ...good, limit: -5 },
  ],
  [
    "a timeout of zero",
    "INVALID_ARGUMENT",
    "timeoutMs: expected a positive number of milliseconds, got 0",
    { ...good, timeoutMs: 0 },
  ],
  [
    "a negative timeout",
    "INVALID_ARGUMENT",
    "timeoutMs: expected a positive number of milliseconds, got -50",
    { ...good, timeoutMs: -50 },
  ],
  [
    "too many values in a feature",
    "INVALID_ARGUMENT",
    "candidates[0].features.content: expected at most 8 values, got 9",
    withCandidates({ id: "t1", features: { content: [1, 2, 3, 4, 5, 6, 7, 8, 9] } }),
  ],
  [
    "too many features",
    "INVALID_ARGUMENT",
    "user.features: expected at most 4 entries, got 5",
    { ...good, user: { id: "u1", features: record(5, 1) } },
  ],
  [
    "too many attributes",
    "INVALID_ARGUMENT",
    "context.attributes: expected at most 4 entries, got 5",
    { ...good, context: { attributes: record(5, "x") } },
  ],
];

describe("a bad rank request says the same over both transports:", () => {
  test.each(badRankRequests)("%s, over HTTP", async (_name, code, detail, request) => {
    const answer = await doors.post("/v1/rank", request);
    expect(answer.body).toMatchObject({ code, detail, status: 400 });
    expect(answer.headers.get("content-type")).toMatch(/^application\/problem\+json/);
  });

  test.each(badRankRequests)("%s, over gRPC", async (_name, code, detail, request) => {
    const answer = await doors.grpc.call("setlist.v1.RankingService", "Rank", rankMessage(request));
    expect(answer).toMatchObject({ code, detail });
    expect(answer.trailer.get("setlist-code")).toEqual([code]);
  });
});

const json = { "content-type": "application/json" };
const rank = "/v1/rank";
const text = (request: object) => JSON.stringify(request);

/** What only HTTP can say: method, path, headers and body as they are sent. */
const badHttpRequests: [
  name: string,
  status: number,
  code: string,
  detail: string,
  path: string,
  init: RequestInit,
][] = [
  ...(
    [
      [
        "a body that is no JSON",
        '{"surface": "home",',
        "body: malformed JSON: Expected double-quoted property name",
      ],
      ["a body that ends early", '{"surface":', "body: malformed JSON: Unexpected end of JSON input"],
      ["a misplaced comma", '{"surface":"home",}', "in JSON at position 18 (line 1 column 19)"],
      ["an empty body", "", "body: expected a JSON object, but it is empty"],
      ["an array", "[]", "body: expected object, got array"],
      ["null", "null", "body: expected object, got null"],
      ["a __proto__ key", '{"__proto__": {"x": 1}}', "the keys __proto__ and constructor.prototype"],
      [
        "an escaped __proto__ key",
        '{"\\u005f_proto__": {"x": 1}}',
        "the keys __proto__ and constructor.prototype",
      ],
      [
        "a __proto__ among the features",
        '{"surface":"home","user":{"id":"u1","features":{"__proto__":[1]}},"candidateIds":["a"]}',
        "the keys __proto__ and constructor.prototype",
      ],
      [
        "a constructor key",
        '{"constructor": {"prototype": 1}}',
        "the keys __proto__ and constructor.prototype",
      ],
      ["an unknown field", text({ ...good, limits: 5 }), 'limits: unknown field (did you mean "limit"?)'],
      [
        "an unknown field of the user",
        text({ ...good, user: { id: "u1", feature: {} } }),
        'user.feature: unknown field (did you mean "features"?)',
      ],
      [
        "an unknown field of a candidate",
        text(withCandidates({ id: "t1" }, { id: "t2", score: 1 })),
        "candidates[1].score: unknown field",
      ],
      ["a surface that is no text", text({ ...good, surface: 7 }), "surface: expected string, got number"],
      [
        "a candidate id that is no text",
        text({ ...good, candidateIds: ["t1", 7] }),
        "candidateIds[1]: expected string, got number",
      ],
      [
        "candidates that are no list",
        text({ ...without("candidateIds"), candidates: { id: "t1" } }),
        "candidates: expected array, got object",
      ],
      [
        "no candidate at all",
        text({ ...good, candidateIds: [] }),
        "candidateIds: expected at least 1 candidate",
      ],
      ["a limit that is text", text({ ...good, limit: "20" }), "limit: expected number, got string"],
      [
        "a fractional limit",
        text({ ...good, limit: 1.5 }),
        "limit: expected a whole number of at least 1, got 1.5",
      ],
      [
        "an infinite timeout",
        '{"surface":"home","user":{"id":"u1"},"timeoutMs":1e999}',
        "timeoutMs: expected number, got Infinity",
      ],
      ["explain that is no boolean", text({ ...good, explain: 1 }), "explain: expected boolean, got number"],
      [
        "an infinite feature",
        '{"surface":"home","user":{"id":"u1","features":{"age":1e999}},"candidateIds":["a"]}',
        "user.features.age: expected number or string or array, got Infinity, which is not finite",
      ],
      [
        "an infinity within a feature",
        '{"surface":"home","user":{"id":"u1"},"candidates":[{"id":"a","features":{"content":[1,-1e999]}}]}',
        "candidates[0].features.content[1]: expected number, got -Infinity, which is not finite",
      ],
      [
        "a feature that is null",
        text(withCandidates({ id: "t1", features: { plays: null } })),
        "candidates[0].features.plays: expected number or string or array, got null",
      ],
      [
        "a feature that is an object",
        text(withCandidates({ id: "t1", features: { plays: {} } })),
        "candidates[0].features.plays: expected number or string or array, got object",
      ],
      [
        "a feature of numbers and names",
        text(withCandidates({ id: "t1", features: { genres: [1, "pop"] } })),
        "candidates[0].features.genres[1]: expected number, got string",
      ],
      [
        "a feature of names and numbers",
        text(withCandidates({ id: "t1", features: { genres: ["pop", 1] } })),
        "candidates[0].features.genres[1]: expected string, got number",
      ],
      [
        "a feature of what is neither",
        text(withCandidates({ id: "t1", features: { genres: [true] } })),
        "candidates[0].features.genres[0]: expected number or string, got boolean",
      ],
      [
        "an attribute that is a list",
        text({ ...good, user: { id: "u1", attributes: { country: ["DE"] } } }),
        "user.attributes.country: expected string or number or boolean, got array",
      ],
    ] as const
  ).map(([name, body, detail]): (typeof badHttpRequests)[number] => [
    name,
    400,
    "INVALID_ARGUMENT",
    detail,
    rank,
    { method: "POST", headers: json, body },
  ]),
  [
    "a body over the limit",
    413,
    "PAYLOAD_TOO_LARGE",
    "body: expected at most 20000 bytes",
    rank,
    { method: "POST", headers: json, body: text({ ...good, surface: "x".repeat(20_000) }) },
  ],
  [
    "a content type that is not JSON",
    415,
    "INVALID_ARGUMENT",
    "content-type: expected application/json",
    rank,
    { method: "POST", headers: { "content-type": "text/plain" }, body: text(good) },
  ],
  [
    "a form",
    415,
    "INVALID_ARGUMENT",
    "content-type: expected application/json",
    rank,
    { method: "POST", body: new URLSearchParams({ surface: "home" }) },
  ],
  [
    "a compressed body",
    415,
    "INVALID_ARGUMENT",
    'content-encoding: expected none, the body as it is, got "gzip"',
    rank,
    { method: "POST", headers: { ...json, "content-encoding": "gzip" }, body: text(good) },
  ],
  [
    "a body in UTF-16",
    415,
    "INVALID_ARGUMENT",
    'content-type: expected charset=utf-8 or none, got "utf-16"',
    rank,
    {
      method: "POST",
      headers: { "content-type": 'application/json; charset="utf-16"' },
      body: Buffer.from(text(good), "utf16le"),
    },
  ],
  [
    "bytes that are no UTF-8",
    400,
    "INVALID_ARGUMENT",
    "body: expected UTF-8",
    rank,
    { method: "POST", headers: json, body: Buffer.from(text(good).replace("u1", "u\xff"), "latin1") },
  ],
  ["no body", 400, "INVALID_ARGUMENT", "body: expected object", rank, { method: "POST" }],
  ["GET where POST is right", 405, "INVALID_ARGUMENT", "method: expected one of POST, got GET", rank, {}],
  [
    "the deletion of an experiment, which is not offered",
    405,
    "INVALID_ARGUMENT",
    "method: expected one of GET, HEAD, PUT, got DELETE",
    "/v1/experiments/home-kd",
    { method: "DELETE" },
  ],
  [
    "an unknown path",
    404,
    "NOT_FOUND",
    "path: nothing at POST /v1/rnk; see /docs",
    "/v1/rnk?secret=1",
    { method: "POST", headers: json, body: "{}" },
  ],
  ...(
    [
      ["a path of two slashes", "//", "path: nothing at GET //; see /docs"],
      ["a path that would be no URL", "//[", "path: nothing at GET //[; see /docs"],
      ["a path that would be a URL's port", "//a:99999/", "path: nothing at GET //a:99999/; see /docs"],
      [
        "a path that would be another host's",
        "//evil.com/x?y",
        "path: nothing at GET //evil.com/x; see /docs",
      ],
      ["a path without end", `/${"x".repeat(5_000)}`, `path: nothing at GET /${"x".repeat(199)}…; see /docs`],
    ] as const
  ).map(([name, path, detail]): (typeof badHttpRequests)[number] => [
    name,
    404,
    "NOT_FOUND",
    detail,
    path,
    {},
  ]),
  [
    "a path that is not percent-encoded",
    400,
    "INVALID_ARGUMENT",
    "path: not valid",
    "/v1/experiments/%zz",
    {},
  ],
  [
    "an experiment id of 1,025 characters",
    414,
    "INVALID_ARGUMENT",
    "path: an id in it is too long",
    `/v1/experiments/${"x".repeat(1_025)}`,
    {},
  ],
  [
    "an unknown experiment",
    404,
    "NOT_FOUND",
    'id: no experiment "home-kx" (did you mean "home-kd"?)',
    "/v1/experiments/home-kx",
    {},
  ],
  [
    "the history of an unknown experiment",
    404,
    "NOT_FOUND",
    'id: no experiment "nope"',
    "/v1/experiments/nope/history",
    {},
  ],
  ...(
    [
      ["an assignment for no unit", "/v1/assignments", { attributes: {} }, "unit: expected, but missing"],
      [
        "an assignment for an empty unit",
        "/v1/assignments",
        { unit: "" },
        "unit: expected an id of 1 to 256 bytes",
      ],
      [
        "an assignment with an unknown field",
        "/v1/assignments",
        { unit: "u1", attributes: { users: {} } },
        'attributes.users: unknown field (did you mean "user"?)',
      ],
      [
        "outcomes that are no list",
        "/v1/outcomes",
        { outcomes: outcome },
        "outcomes: expected array, got object",
      ],
      ["a batch without outcomes", "/v1/outcomes", {}, "outcomes: expected, but missing"],
      [
        "an empty batch",
        "/v1/outcomes",
        { outcomes: [] },
        "outcomes: expected 1 to 5 outcomes in a batch, got 0",
      ],
      [
        "too many outcomes",
        "/v1/outcomes",
        { outcomes: Array(6).fill(outcome) },
        "outcomes: expected 1 to 5 outcomes in a batch, got 6",
      ],
      [
        "an unknown field beside the outcomes",
        "/v1/outcomes",
        { outcomes: [outcome], source: "web" },
        "source: unknown field",
      ],
    ] as const
  ).map(([name, path, body, detail]): (typeof badHttpRequests)[number] => [
    name,
    400,
    "INVALID_ARGUMENT",
    detail,
    path,
    { method: "POST", headers: json, body: text(body) },
  ]),
];

test.each(badHttpRequests)("HTTP refuses %s", async (_name, status, code, detail, path, init) => {
  const answer = await httpCall(doors.http + path, init);
  expect(answer.body).toEqual({
    type: expect.stringMatching(/^urn:setlist:error:[a-z-]+$/),
    title: expect.any(String),
    status,
    detail: expect.stringContaining(detail),
    code,
    requestId: expect.any(String),
  });
  expect(answer.status).toBe(status);
  expect(answer.headers.get("content-type")).toMatch(/^application\/problem\+json/);
  expect(answer.headers.get("request-id")).toBe(answer.body["requestId"]);
});

test.each([
  ["its charset", { "content-type": "application/json; charset=UTF-8" }],
  ["its charset in quotes", { "content-type": 'application/json;charset="utf-8"' }],
  ["that it is not compressed", { ...json, "content-encoding": "identity" }],
])("HTTP takes a body that says %s", async (_name, headers) => {
  expect((await doors.post(rank, { ...good, user: { id: "ü€" } }, headers)).status).toBe(200);
});

test.each([null, true, { a: 1 }])(
  "HTTP refuses the value %j of a feature with a line break in its name",
  async (value) => {
    const answer = await doors.post(rank, { ...good, user: { id: "u1", features: { "a\nb": value } } });
    expect(answer.body).toMatchObject({ status: 400, code: "INVALID_ARGUMENT" });
    expect(answer.body["detail"]).toMatch(
      /^user\.features\."a\\nb": expected number or string or array, got /,
    );
  },
);

test("outcomes whose ids differ only in bytes that are no UTF-8 are refused, not merged", async () => {
  const batch = text({ outcomes: [outcome] });
  const body = Buffer.from(batch.replace('"o1"', '"z\xff"'), "latin1");
  const answer = await doors.post("/v1/outcomes", body);
  expect(answer.body).toMatchObject({ status: 400, detail: expect.stringContaining("body: expected UTF-8") });
});

const rankingService = ["setlist.v1.RankingService", "Rank"] as const;
const outcomeService = ["setlist.v1.OutcomeService", "Record"] as const;
const feature = (value: object) => ({ ...good, user: { id: "u1", features: { age: value } } });

/** Both transports: an assignment is asked for with as many attributes as a ranking. */
describe.each(["user", "context"])("an assignment with too many attributes of the %s", (who) => {
  const detail = `attributes.${who}: expected at most 4 entries, got 5`;

  test("is refused over HTTP", async () => {
    const asked = { unit: "u1", attributes: { [who]: record(5, "x") } };
    expect((await doors.post("/v1/assignments", asked)).body).toMatchObject({ status: 400, detail });
  });

  test("is refused over gRPC", async () => {
    const asked = { unit: "u1", attributes: { [who]: record(5, { text: "x" }) } };
    const answer = await doors.grpc.call("setlist.v1.ExperimentService", "Assign", asked);
    expect(answer).toMatchObject({ code: "INVALID_ARGUMENT", detail });
  });

  test("is answered with one less", async () => {
    const asked = { unit: "u1", attributes: { [who]: record(4, "x") } };
    expect((await doors.post("/v1/assignments", asked)).status).toBe(200);
  });
});

/** What only gRPC can say: bytes as they are, oneofs without a value, numbers that JSON has no word for. */
const badGrpcRequests: [
  name: string,
  code: string,
  detail: string,
  method: readonly [string, string],
  message: object | Buffer,
][] = [
  [
    "bytes that are no protobuf",
    "INVALID_ARGUMENT",
    "body: malformed protobuf: ",
    rankingService,
    Buffer.from("not protobuf at all"),
  ],
  [
    "a text that ends early",
    "INVALID_ARGUMENT",
    "body: malformed protobuf: premature EOF",
    rankingService,
    Buffer.from([0x12, 40, 0x68]),
  ],
  [
    "a message that ends early",
    "INVALID_ARGUMENT",
    "body: malformed protobuf: a message reaches past the end",
    rankingService,
    Buffer.from([0x1a, 40, 0x0a]),
  ],
  [
    "a field that reaches past its message",
    "INVALID_ARGUMENT",
    "body: malformed protobuf: a field reaches past the end of its message",
    rankingService,
    Buffer.from([0x1a, 3, 0x0a, 4, 0x68, 0x68, 0x68, 0x68]),
  ],
  [
    "a field of another wire type",
    "INVALID_ARGUMENT",
    "body: malformed protobuf: field 2 has wire type 0, but the contract says 2",
    rankingService,
    Buffer.from([0x10, 1]),
  ],
  [
    "text that is no UTF-8",
    "INVALID_ARGUMENT",
    "body: malformed protobuf: ",
    rankingService,
    Buffer.from([0x12, 2, 0xc3, 0x28]),
  ],
  [
    "half of a surrogate pair",
    "INVALID_ARGUMENT",
    "body: malformed protobuf: ",
    rankingService,
    Buffer.from([0x12, 3, 0xed, 0xa0, 0x80]),
  ],
  [
    "a varint without end",
    "INVALID_ARGUMENT",
    "body: malformed protobuf: ",
    rankingService,
    Buffer.alloc(30, 0xff),
  ],
  [
    "a feature that is NaN",
    "INVALID_ARGUMENT",
    "user.features.age: expected finite numbers",
    rankingService,
    feature({ number: Number.NaN }),
  ],
  [
    "an infinite feature",
    "INVALID_ARGUMENT",
    "user.features.age: expected finite numbers",
    rankingService,
    feature({ number: Number.NEGATIVE_INFINITY }),
  ],
  [
    "a NaN within a feature",
    "INVALID_ARGUMENT",
    "user.features.age: expected finite numbers",
    rankingService,
    feature({ numbers: { values: [1, Number.NaN] } }),
  ],
  [
    "an infinity within raw numbers",
    "INVALID_ARGUMENT",
    "user.features.age: expected finite numbers",
    rankingService,
    feature({ raw: Buffer.from([0, 0, 0x80, 0x7f]) }),
  ],
  [
    "raw numbers of 5 bytes",
    "INVALID_ARGUMENT",
    "user.features.age.raw: expected a multiple of 4 bytes, got 5",
    rankingService,
    feature({ raw: Buffer.alloc(5) }),
  ],
  [
    "a feature without a value",
    "INVALID_ARGUMENT",
    "user.features.age: expected a value, but none is set",
    rankingService,
    feature({}),
  ],
  [
    "an attribute without a value",
    "INVALID_ARGUMENT",
    "context.attributes.device: expected a value, but none is set",
    rankingService,
    { ...good, context: { attributes: { device: {} } } },
  ],
  [
    "an attribute that is NaN",
    "INVALID_ARGUMENT",
    "user.attributes.age: expected a finite number, got NaN",
    rankingService,
    { ...good, user: { id: "u1", attributes: { age: { number: Number.NaN } } } },
  ],
  [
    "a timeout that is NaN",
    "INVALID_ARGUMENT",
    "timeoutMs: expected a positive number of milliseconds, got NaN",
    rankingService,
    { ...good, timeoutMs: Number.NaN },
  ],
  [
    "an empty batch",
    "INVALID_ARGUMENT",
    "outcomes: expected 1 to 5 outcomes in a batch, got 0",
    outcomeService,
    {},
  ],
  [
    "too many outcomes",
    "INVALID_ARGUMENT",
    "outcomes: expected 1 to 5 outcomes in a batch, got 6",
    outcomeService,
    { outcomes: Array(6).fill(outcome) },
  ],
  [
    "an unknown experiment",
    "NOT_FOUND",
    'id: no experiment "home-kx" (did you mean "home-kd"?)',
    ["setlist.v1.ExperimentService", "Get"],
    { id: "home-kx" },
  ],
  [
    "the history of an unknown experiment",
    "NOT_FOUND",
    'id: no experiment "nope"',
    ["setlist.v1.ExperimentService", "History"],
    { id: "nope" },
  ],
  [
    "an assignment for no unit",
    "INVALID_ARGUMENT",
    "unit: expected an id of 1 to 256 bytes, got 0",
    ["setlist.v1.ExperimentService", "Assign"],
    {},
  ],
];

test.each(badGrpcRequests)("gRPC refuses %s", async (_name, code, detail, [service, method], message) => {
  const answer = await doors.grpc.call(service, method, message);
  expect(answer).toMatchObject({ code, detail: expect.stringContaining(detail) });
  expect(answer.trailer.get("setlist-code")).toEqual([code]);
  expect(answer.trailer.get("request-id")).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/)]);
});

test("gRPC refuses a message over the limit as too large, not as too many requests", async () => {
  const answer = await doors.grpc.call(...rankingService, { ...good, surface: "x".repeat(20_000) });
  expect(answer).toMatchObject({ code: "RESOURCE_EXHAUSTED", detail: "body: expected at most 20000 bytes" });
  expect(answer.trailer.get("setlist-code")).toEqual(["PAYLOAD_TOO_LARGE"]);
});

test("gRPC refuses a message of many times the limit before it is in memory", async () => {
  const answer = await doors.grpc.call(...rankingService, { ...good, surface: "x".repeat(400_000) });
  expect(answer.code).toBe("RESOURCE_EXHAUSTED");
});

/** One bad outcome each: rejected by its index, while its neighbours are taken. */
const badOutcomes: [name: string, detail: string, fields: Record<string, unknown>][] = [
  ["without an id", "outcomeId: expected", { outcomeId: "" }],
  ["with an id of 257 bytes", "outcomeId: expected an id of 1 to 256 bytes, got 257", { outcomeId: long }],
  ["without a request", "requestId: expected", { requestId: "" }],
  ["without an item", "itemId: expected", { itemId: "" }],
  ["without a type", "type: expected 1 to 64 characters, got 0", { type: "" }],
  ["with a type of 65 characters", "type: expected 1 to 64 characters, got 65", { type: "é".repeat(65) }],
  ["with a time that is none", "occurredAt: expected an ISO 8601 time", { occurredAt: "yesterday" }],
  [
    "with a time without a zone",
    "occurredAt: expected an ISO 8601 time",
    { occurredAt: "2026-11-22T08:00:00" },
  ],
  [
    "with a day that is none",
    "occurredAt: expected an ISO 8601 time",
    { occurredAt: "2026-13-42T08:00:00Z" },
  ],
  ["on February 30", "occurredAt: expected an ISO 8601 time", { occurredAt: "2026-02-30T00:00:00Z" }],
  [
    "on February 29 of a year without",
    "occurredAt: expected an ISO 8601 time",
    { occurredAt: "2026-02-29T23:00:00-05:00" },
  ],
];

describe("one bad outcome does not spoil its batch:", () => {
  const batch = (bad: object, tag: string) => ({
    outcomes: [
      { ...outcome, outcomeId: `${tag}-1` },
      { ...outcome, outcomeId: `${tag}-2`, ...bad },
      { ...outcome, outcomeId: `${tag}-3` },
    ],
  });
  const receipt = (detail: string) => ({
    accepted: 2,
    duplicates: 0,
    rejected: [{ index: 1, code: "INVALID_ARGUMENT", detail: expect.stringContaining(detail) }],
  });

  test.each(badOutcomes)("%s, over HTTP", async (name, detail, fields) => {
    const answer = await doors.post("/v1/outcomes", batch(fields, `http ${name}`));
    expect(answer.body).toEqual(receipt(detail));
  });

  test.each(badOutcomes)("%s, over gRPC", async (name, detail, fields) => {
    const answer = await doors.grpc.call(...outcomeService, batch(fields, `grpc ${name}`));
    expect(answer.message).toEqual(receipt(detail));
  });

  test("with an unknown field, over HTTP", async () => {
    const answer = await doors.post("/v1/outcomes", batch({ itemID: "t1" }, "unknown"));
    expect(answer.body).toEqual(receipt('itemID: unknown field (did you mean "itemId"?)'));
  });

  test("with a type of half a surrogate pair, over HTTP", async () => {
    const answer = await doors.post("/v1/outcomes", batch({ type: "click\ud800" }, "surrogate"));
    expect(answer.body).toEqual(receipt("type: expected Unicode text, got a lone surrogate"));
  });

  test("with a value that is NaN, over gRPC", async () => {
    const answer = await doors.grpc.call(...outcomeService, batch({ value: Number.NaN }, "nan"));
    expect(answer.message).toEqual(receipt("value: expected number, got NaN, which is not finite"));
  });

  test("that is null, over HTTP", async () => {
    const answer = await doors.post("/v1/outcomes", {
      outcomes: [null, 7, { ...outcome, outcomeId: "null" }],
    });
    expect(answer.body).toMatchObject({ accepted: 1, rejected: [{ index: 0 }, { index: 1 }] });
  });
});

test("an outcome of a leap day, in a zone where it is another day, is taken", async () => {
  const leapDay = { ...outcome, outcomeId: "leap", occurredAt: "2028-02-29T23:30:00.5-02:00" };
  const answer = await doors.post("/v1/outcomes", { outcomes: [leapDay] });
  expect(answer.body).toMatchObject({ accepted: 1, rejected: [] });
  const taken = doors.recorded.find(({ outcomeId }) => outcomeId === "leap");
  expect(taken?.occurredAt).toBe(Date.UTC(2028, 2, 1, 1, 30, 0, 500));
});

describe("an outcome for a request that nobody made is accepted and counted as unmatched", () => {
  const stray = (outcomeId: string) => ({ outcomes: [{ ...outcome, outcomeId, requestId: "never made" }] });
  const unmatched = async () => {
    const metrics = await doors.get("/metrics");
    return Number(/setlist_outcomes_total\{result="unmatched"\} (\d+)/.exec(metrics.text)?.[1]);
  };

  test("over HTTP", async () => {
    const before = await unmatched();
    const answer = await doors.post("/v1/outcomes", stray("stray-http"));
    expect(answer.body).toEqual({ accepted: 1, duplicates: 0, rejected: [] });
    expect(await unmatched()).toBe(before + 1);
  });

  test("over gRPC", async () => {
    const before = await unmatched();
    const answer = await doors.grpc.call(...outcomeService, stray("stray-grpc"));
    expect(answer.message).toEqual({ accepted: 1, duplicates: 0, rejected: [] });
    expect(await unmatched()).toBe(before + 1);
  });
});

describe("what is just within the limits is taken:", () => {
  const widest = {
    ...good,
    requestId: "€".repeat(85),
    user: { id: "x".repeat(256), features: record(4, 1), attributes: record(4, true) },
    candidateIds: ids(20),
    limit: 1_000,
  };

  test("over HTTP", async () => {
    const answer = await doors.post("/v1/rank", widest);
    expect(answer.status).toBe(200);
    expect(answer.body["requestId"]).toBe("€".repeat(85));
  });

  test("over gRPC", async () => {
    const answer = await doors.grpc.call(...rankingService, rankMessage(widest));
    expect(answer.code).toBe("OK");
    expect(answer.message["requestId"]).toBe("€".repeat(85));
  });
});

test("after all of this nothing was logged as a defect of ours", () => {
  expect(doors.logged.filter((line) => line["level"] === "error")).toEqual([]);
});
