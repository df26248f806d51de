import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { namedIn, pages } from "../support/document-pages.ts";
import { type Doors, openDoors } from "../support/doors.ts";

interface Operation {
  readonly summary?: string;
  readonly requestBody?: { readonly content: Record<string, Media> };
  readonly responses: Record<
    string,
    { readonly description?: string; readonly content?: Record<string, Media> }
  >;
}
interface Media {
  readonly schema: object;
}
interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, object> };
}

let doors: Doors;
let document: Document;
beforeAll(async () => {
  doors = await openDoors();
  document = (await doors.get("/openapi.json")).body as unknown as Document;
});
afterAll(() => doors.close());

const operations = (): [name: string, operation: Operation][] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  );

test("the document is OpenAPI 3.1 and has every route, and no method that is refused", () => {
  expect(document.openapi).toBe("3.1.0");
  expect(document.info).toMatchObject({ title: "Setlist", version: expect.any(String) });
  expect(
    operations()
      .map(([name]) => name)
      .sort(),
  ).toEqual([
    "GET /livez",
    "GET /metrics",
    "GET /openapi.json",
    "GET /readyz",
    "GET /v1/experiments",
    "GET /v1/experiments/{id}",
    "GET /v1/experiments/{id}/health",
    "GET /v1/experiments/{id}/history",
    "GET /v1/kill-switch",
    "GET /v1/kill-switch/history",
    "GET /v1/models",
    "GET /v1/models/{name}/labels",
    "GET /v1/surfaces",
    "GET /v1/surfaces/{surface}/history",
    "POST /ofrep/v1/evaluate/flags",
    "POST /ofrep/v1/evaluate/flags/{key}",
    "POST /ofrep/v1/track",
    "POST /v1/assignments",
    "POST /v1/experiments",
    "POST /v1/experiments/{id}/kill",
    "POST /v1/experiments/{id}/pause",
    "POST /v1/experiments/{id}/revive",
    "POST /v1/experiments/{id}/ship",
    "POST /v1/experiments/{id}/start",
    "POST /v1/experiments/{id}/stop",
    "POST /v1/kill-switch",
    "POST /v1/models/{name}/versions/{version}/load",
    "POST /v1/models/{name}/versions/{version}/unload",
    "POST /v1/outcomes",
    "POST /v1/rank",
    "POST /v1/surfaces/{surface}/restore",
    "PUT /v1/experiments",
    "PUT /v1/experiments/{id}",
    "PUT /v1/models/{name}/labels/{label}",
  ]);
});

test("paths that the documents name are routes", () => {
  const routes = Object.keys(document.paths).map(
    (path) => new RegExp(`^${path.replaceAll(/\{\w+\}/g, "[^/]+")}$`),
  );
  const named = namedIn(pages, /(?:localhost:8080|127\.0\.0\.1:8080|(?:GET|POST|PUT) )(\/[\w{}/.-]*[\w}])/g);
  expect(named.length).toBeGreaterThan(50);
  expect(
    named.filter(({ named: [path = ""] }) => path !== "/docs" && !routes.some((route) => route.test(path))),
  ).toEqual([]);
});

test("every operation says what it is for, and every answer what it means", () => {
  for (const [name, { summary, responses }] of operations()) {
    expect(summary, name).toEqual(expect.any(String));
    expect(Object.keys(responses), name).toContain("200");
    for (const response of Object.values(responses))
      expect(response.description, name).toEqual(expect.any(String));
  }
});

test("every operation of /v1 names its error answers, as problems", () => {
  const v1 = operations().filter(([name]) => name.includes(" /v1/"));
  expect(v1.length).toBe(27);
  for (const [name, { responses }] of v1) {
    const errors = Object.entries(responses).filter(([status]) => !status.startsWith("2"));
    expect(errors.length, name).toBeGreaterThan(0);
    for (const [, response] of errors) {
      expect(response.content?.["application/problem+json"]?.schema, name).toEqual({
        $ref: "#/components/schemas/Problem",
      });
    }
  }
});

test("every schema is JSON Schema 2020-12, and every reference leads somewhere", () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  const bodies = operations().flatMap(([, { requestBody, responses }]) =>
    [requestBody, ...Object.values(responses)].flatMap((one) => Object.values(one?.content ?? {})),
  );
  expect(bodies.length).toBeGreaterThan(20);
  for (const { schema } of bodies) {
    const { components } = document;
    expect(ajv.compile({ ...schema, components })).toBeTypeOf("function");
  }
});

describe("what the server answers is what the document promises:", () => {
  const schemaOf = (path: string, method: string, status: string) =>
    Object.values(document.paths[path]?.[method]?.responses[status]?.content ?? {})[0]?.schema ?? {};
  const check = (path: string, method: string, status: string, body: unknown) => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    const validate = ajv.compile({ ...schemaOf(path, method, status), components: document.components });
    validate(body);
    return validate.errors ?? [];
  };
  const request = { surface: "home", user: { id: "u1" }, candidateIds: ["t1"], explain: true };

  test("a ranking", async () => {
    const { body } = await doors.post("/v1/rank", request);
    expect(check("/v1/rank", "post", "200", body)).toEqual([]);
  });

  test("a problem", async () => {
    const { body } = await doors.post("/v1/rank", {});
    expect(check("/v1/rank", "post", "400", body)).toEqual([]);
  });

  test("an assignment", async () => {
    const { body } = await doors.post("/v1/assignments", { unit: "u1" });
    expect(check("/v1/assignments", "post", "200", body)).toEqual([]);
  });

  test.each([
    ["a flag", "/ofrep/v1/evaluate/flags/{key}", "200", { context: { targetingKey: "u1" } }],
    ["all flags", "/ofrep/v1/evaluate/flags", "200", { context: { targetingKey: "u1" } }],
    ["a failed evaluation", "/ofrep/v1/evaluate/flags/{key}", "400", { context: {} }],
    ["tracked events", "/ofrep/v1/track", "200", { events: [{}] }],
  ])("%s", async (_, path, status, sent) => {
    const answer = await doors.post(path.replace("{key}", "home-kd"), sent);
    expect(answer.status).toBe(Number(status));
    expect(check(path, "post", status, answer.body)).toEqual([]);
  });

  test.each(["/v1/experiments", "/v1/models", "/livez", "/readyz"])("%s", async (path) => {
    const { body } = await doors.get(path);
    expect(check(path, "get", "200", body)).toEqual([]);
  });
});

test("the document can be read as pages", async () => {
  const page = await doors.get("/docs");
  expect(page.status).toBe(200);
  expect(page.text).toContain("swagger-ui");
});
