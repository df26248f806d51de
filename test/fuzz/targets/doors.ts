/** Both transports without a socket, over the real serving core, features, experiments and the log's own codec. */
import { EventEmitter } from "node:events";
import { Metadata, type Server, type StatusObject } from "@grpc/grpc-js";
import { loadSync, type ServiceDefinition } from "@grpc/proto-loader";
import type { LogRecord } from "../../../src/domain/outcome-log.ts";
import { compileAssigner } from "../../../src/experiments/experiments.ts";
import { RequestEncoder } from "../../../src/features/request-encoder.ts";
import { contractFiles, contractRoot, loadContract } from "../../../src/grpc/contract.ts";
import { offerExperiments, offerOutcomes, offerRanking } from "../../../src/grpc/services.ts";
import { defaultConnectionRules } from "../../../src/http/connection-rules.ts";
import { buildRoutes } from "../../../src/http/http.ts";
import { readRecord } from "../../../src/outcomes/record-codec.ts";
import { checkShippedRecord } from "../../../src/shipping/message-schema.ts";
import { recordJson, recordOfJson } from "../../../src/shipping/record-json.ts";
import { openCore, testExecution, testExperiment } from "../../support/doors.ts";
import { storeOf, writesOf } from "../../support/experiment-store.ts";
import { experimentWith } from "../../support/experiments.ts";
import { homeModel, testWorld } from "../../support/feature-models.ts";
import { attributeMessage, rankMessage } from "../../support/rank-message.ts";
import type { Mutator } from "../mutator.ts";
import { expectSentence, type OpenTarget, type Target } from "../target.ts";
import { framesOf } from "./log.ts";

const models = ["home-test", "home-control", "home-kd", "home-treated"].map((name) => ({
  name,
  version: "1",
  surface: "home",
  tasks: homeModel.tasks,
}));

/** Writes stay: after so many inputs everything begins anew. */
const inputsOfCore = 500;

/** A core whose log holds every record against the log's own codec and against what is shipped. */
function core() {
  const store = storeOf([
    testExperiment,
    experimentWith({ id: "sticky", layer: "sticky", sticky: true, unit: "user" }),
    { ...experimentWith({ id: "draft", layer: "draft", status: "draft" }) },
  ]);
  let compiled = { of: store.current(), assigner: compileAssigner(store.list()) };
  const encoder = new RequestEncoder(
    {
      columns: () => undefined,
      read: async (entity, ids) => {
        const rows: Readonly<Record<string, object>> = entity === "user" ? testWorld.users : testWorld.items;
        return ids.map((id) => (Object.hasOwn(rows, id) ? (rows[id] as never) : undefined));
      },
      close: async () => undefined,
    },
    1_000,
    () => undefined,
  );
  encoder.prepare([homeModel]);
  const known = { surfaces: ["home"], models, itemFeatures: ["genre"] };
  const scores = (count: number) => Float32Array.from({ length: count }, (_, i) => (i + 1) / (count + 1));
  const { doors, logged } = openCore({
    experiments: store,
    writes: writesOf(store, known),
    ports: {
      assigner: () => {
        if (compiled.of !== store.current())
          compiled = { of: store.current(), assigner: compileAssigner(store.list()) };
        return compiled.assigner;
      },
      features: encoder,
      scorer: {
        resolve: () => homeModel,
        candidatesMax: () => Number.POSITIVE_INFINITY,
        models: () => [homeModel],
        execution: () => testExecution,
        score: async (_model, { candidateCount, release }) => {
          release();
          return { probabilities: scores(candidateCount), queueMs: 0, inferenceMs: 1 };
        },
        scoreSpare: async (_model, { candidateCount, release }) => {
          release();
          return scores(candidateCount);
        },
        close: async () => undefined,
      },
      log: {
        appendImpression: async (impression) => kept(impression),
        appendOutcomes: async (outcomes) => {
          for (const outcome of outcomes) kept(outcome);
          return { accepted: outcomes.length, duplicates: 0, unmatched: 0 };
        },
        appendShadow: async (comparison) => kept(comparison),
        close: async () => undefined,
      },
    },
  });
  doors.readiness.set("ready");
  return { doors, logged };
}

function kept(record: LogRecord): void {
  const frames = framesOf([record]);
  const json = recordJson(readRecord(frames, 16, frames.length));
  const wellFormed = recordJson(record);
  if (json !== wellFormed && !wellFormed.includes("\\ud")) throw new Error(`logged as another: ${json}`);
  const fault = checkShippedRecord(JSON.parse(json));
  if (fault !== undefined) throw new Error(`logged, but not to be shipped: ${fault}`);
  recordOfJson(JSON.parse(json));
}

const rank = {
  requestId: "r1",
  surface: "home",
  user: {
    id: "u1",
    attributes: { country: "DE", premium: true, age: 3 },
    features: { taste: [1, 2], history: ["t1"], country: "FR" },
  },
  context: { attributes: { device: "ios" }, features: { device: "ios" } },
  session: { id: "s1" },
  candidates: [{ id: "t1", features: { content: [0.5, 0.25], popularity: 3, genre: "pop" } }, { id: "t2" }],
  limit: 5,
  timeoutMs: 50,
  explain: true,
  interleaveId: "i1",
};
const short = { surface: "home", user: { id: "u1" }, candidateIds: ["t1", "t2", "ü"] };
const outcome = {
  outcomeId: "o1",
  requestId: "r1",
  itemId: "t1",
  type: "click",
  value: 1.5,
  occurredAt: "2026-11-22T08:00:00.000Z",
};
const event = {
  outcomeId: "e1",
  name: "exposure",
  context: { targetingKey: "u42" },
  details: { flag: "home-kd", variant: "control", value: 2 },
};
const document = {
  id: "new",
  surface: "home",
  layer: "new",
  arms: [
    { id: "control", control: true, weight: 1, model: { name: "home-control", version: "1" } },
    { id: "kd", model: { name: "home-kd" } },
  ],
  metrics: [{ id: "c", type: "mean", outcome: "click" }],
  targeting: "user.country == 'DE'",
};
const assignment = {
  unit: "u1",
  session: { id: "s" },
  requestId: "r",
  attributes: { user: { country: "DE" }, context: { device: "ios" } },
};

const json = "content-type: application/json";
const write = `${json}\nif-match: "3"\nsetlist-actor: anna`;

/** `METHOD url`, headers, an empty line, the body. */
const requests: readonly string[] = [
  ...[rank, short].map((body) => `POST /v1/rank\n${json}\n\n${JSON.stringify(body)}`),
  `POST /v1/outcomes\n${json}\n\n${JSON.stringify({ outcomes: [outcome, { ...outcome, outcomeId: "o2" }] })}`,
  `POST /v1/assignments\n${json}\n\n${JSON.stringify(assignment)}`,
  `POST /ofrep/v1/evaluate/flags/home-kd\n${json}\n\n{"context":{"targetingKey":"u1","country":"DE","session":"s"}}`,
  `POST /ofrep/v1/evaluate/flags\n${json}\nif-none-match: "x", W/"y"\n\n{"context":{"targetingKey":"u1","nested":{"a":[1]}}}`,
  `POST /ofrep/v1/track\n${json}\n\n${JSON.stringify({ events: [event, { ...event, name: "checkout" }] })}`,
  `POST /v1/experiments?dryRun=true\n${write}\n\n${JSON.stringify(document)}`,
  `POST /v1/experiments\n${write}\n\n${JSON.stringify(document)}`,
  `PUT /v1/experiments\n${write}\n\n${JSON.stringify({ experiments: [document] })}`,
  `PUT /v1/experiments/home-kd?confirm=new-phase\n${write}\n\n${JSON.stringify({ ...document, id: "home-kd", layer: "home-ranker" })}`,
  ...["start", "pause", "revive"].map((move) => `POST /v1/experiments/draft/${move}\n${write}\n\n`),
  `POST /v1/experiments/home-kd/stop\n${write}\n\n{"winner":"kd"}`,
  `POST /v1/experiments/home-kd/ship?confirm=ship\n${write}\n\n{"arm":"kd"}`,
  `POST /v1/experiments/home-kd/kill\n${write}\n\n{"reason":"it burns"}`,
  ...["", "/home-kd", "/home-kd/history", "/home-kd/health"].map((path) => `GET /v1/experiments${path}\n\n`),
  ...[
    "/v1/models",
    "/v1/surfaces",
    "/v1/surfaces/home/history",
    "/v1/kill-switch",
    "/v1/kill-switch/history",
    "/livez",
    "/readyz",
    "/metrics",
    "/openapi.json",
    "/docs",
  ].map((path) => `GET ${path}\n\n`),
  `POST /v1/kill-switch\n${write}\n\n{"on":true,"reason":"x"}`,
  `POST /v1/surfaces/home/restore\n${write}\n\n{}`,
  `PUT /v1/models/home-control/labels/stable\n${json}\n\n{"version":"1","who":"anna"}`,
  `POST /v1/models/home-control/versions/1/unload\n${json}\n\n`,
  `GET /v1/models/home-control/labels\n\n`,
];

const httpTokens = [
  ...[
    "/",
    "//",
    "..",
    "%2e%2e",
    "%00",
    "%ff",
    "%",
    "?",
    "&",
    "=",
    "#",
    "\\",
    "home-kd",
    "v1",
    "%F0%9F%98%80",
    "confirm=x",
    "dryRun=1",
  ],
  ...[
    "POST",
    "GET",
    "PUT",
    "HEAD",
    "OPTIONS",
    "TRACE",
    "application/json",
    "text/plain",
    "charset=utf-16",
    "gzip",
    "*",
    '"3"',
    "W/",
    "-1",
  ],
  ...[
    "user",
    "id",
    "features",
    "attributes",
    "candidates",
    "candidateIds",
    "context",
    "outcomes",
    "events",
    "targetingKey",
    "occurredAt",
  ],
  ...[
    "2026-02-30T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "taste",
    "genre",
    "t1",
    "exposure",
    "experiment",
    "constructor.prototype",
  ],
];

function damagedRequest(mutator: Mutator, seed: Buffer): Buffer {
  const text = seed.toString();
  const [head = "", ...lines] = text.slice(0, text.indexOf("\n\n")).split("\n");
  const body = text.slice(text.indexOf("\n\n") + 2);
  const part = mutator.below(20);
  if (part === 0) return mutator.bytes(seed);
  const first = part < 4 || body === "" ? mutator.text(head).replaceAll("\n", "%0a") : head;
  const headers = part === 4 || part === 5 ? mutator.text(lines.join("\n")) : lines.join("\n");
  const damaged = part > 5 ? mutator.json(body) : body;
  const sent = part === 6 ? mutator.bytes(Buffer.from(damaged)) : Buffer.from(damaged);
  return Buffer.concat([Buffer.from(`${first}\n${headers}${headers === "" ? "" : "\n"}\n`), sent]);
}

async function openHttp(): Promise<OpenTarget> {
  let taken = 0;
  let { doors, logged } = core();
  let app = await buildRoutes({ ...doors }, { ...defaultConnectionRules, connectionsMax: 1_024 });
  return {
    async take(input) {
      taken += 1;
      if (taken % inputsOfCore === 0) {
        await app.close();
        ({ doors, logged } = core());
        app = await buildRoutes({ ...doors }, { ...defaultConnectionRules, connectionsMax: 1_024 });
      }
      const end = input.indexOf("\n\n");
      const [first = "", ...lines] = input.toString("utf8", 0, end < 0 ? input.length : end).split("\n");
      const space = first.indexOf(" ");
      const method = first.slice(0, space);
      const url = first.slice(space + 1);
      // What Node's own parser refuses never comes here, nor what injecting cannot say.
      if (
        !/^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|TRACE)$/.test(method) ||
        !/^\/[\x21-\x7e]*$/.test(url) ||
        !URL.canParse(url, "http://localhost")
      )
        return false;
      // Nor what the injector takes for another host's address; over a socket it is a path like any other.
      if (!url.startsWith("//") && !URL.canParse(url, "http://localhost")) return false;
      const headers = Object.fromEntries(
        lines.flatMap((line) => {
          const [, name, value] =
            /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): *([\t\x20-\x7e\x80-\xff]*)$/.exec(line) ?? [];
          return name === undefined || /^(host|content-length|transfer-encoding|expect)$/i.test(name)
            ? []
            : [[name.toLowerCase(), value ?? ""]];
        }),
      );
      const body = end < 0 ? Buffer.alloc(0) : input.subarray(end + 2);
      const answer = await app.inject({
        method: method as "GET",
        url,
        headers,
        ...(body.length > 0 && { payload: body }),
      });
      const said = `${input.toString()}${decodeAll(url)}`;
      expectPrivate(answer.statusCode, answer.body, said, logged);
      return answer.statusCode < 400;
    },
    close: () => app.close(),
  };
}

function decodeAll(url: string): string {
  try {
    return decodeURIComponent(url);
  } catch {
    return "";
  }
}

function expectPrivate(
  status: number,
  body: string,
  said: string,
  logged: readonly Record<string, unknown>[],
): void {
  if (status >= 500 && status !== 503)
    throw new Error(`answered ${status}: ${JSON.stringify(logged.at(-1))}`);
  if (status < 400 || body === "") return;
  const problem = JSON.parse(body) as {
    code?: string;
    detail?: string;
    errorCode?: string;
    errorDetails?: string;
  };
  const detail = problem.detail ?? problem.errorDetails ?? "";
  if ((problem.code ?? problem.errorCode) === undefined || !expectSentence(detail, said))
    throw new Error(`no problem that one can read: ${status} ${body}`);
}

const experiment = { ...document, id: "new" };
const grpcRequests: readonly (readonly [string, object])[] = [
  ["RankingService/Rank", rankMessage({ ...rank })],
  ["RankingService/Rank", rankMessage({ ...short })],
  ["RankingService/RankStream", { request: rankMessage({ ...rank }) }],
  ["OutcomeService/Record", { outcomes: [outcome, { ...outcome, outcomeId: "o2" }] }],
  ["ExperimentService/List", {}],
  ...["Get", "History", "Health"].map((name) => [`ExperimentService/${name}`, { id: "home-kd" }] as const),
  [
    "ExperimentService/Assign",
    {
      ...assignment,
      attributes: { user: { country: attributeMessage("DE") }, context: { hour: attributeMessage(3) } },
    },
  ],
  ["ExperimentService/Create", { experiment, dryRun: true }],
  ["ExperimentService/Create", { experiment }],
  [
    "ExperimentService/Put",
    { experiment: { ...experiment, id: "home-kd" }, revision: 3, confirm: ["new-phase"] },
  ],
  ["ExperimentService/Import", { experiments: [experiment] }],
  ...["Start", "Pause", "Revive"].map(
    (name) => [`ExperimentService/${name}`, { id: "draft", revision: 1 }] as const,
  ),
  ["ExperimentService/Stop", { id: "home-kd", revision: 3, winner: "kd" }],
  ["ExperimentService/Ship", { id: "home-kd", revision: 3, arm: "kd" }],
  ["ExperimentService/Kill", { id: "home-kd", reason: "it burns" }],
  ...["ListSurfaces", "GetKillSwitch", "KillSwitchHistory"].map(
    (name) => [`ExperimentService/${name}`, {}] as const,
  ),
  ["ExperimentService/SurfaceHistory", { surface: "home" }],
  ["ExperimentService/RestoreSurface", { surface: "home", revision: 1 }],
  ["ExperimentService/SetKillSwitch", { on: true, reason: "x", revision: 0 }],
];

const services: Readonly<Record<string, ServiceDefinition>> = Object.fromEntries(
  Object.entries(loadSync([...contractFiles], { includeDirs: [contractRoot] })).map(([name, service]) => [
    name.replace("setlist.v1.", ""),
    service as ServiceDefinition,
  ]),
);

function serialized(path: string, message: object): Buffer | undefined {
  const [service = "", method = ""] = path.split("/");
  try {
    return services[service]?.[method]?.requestSerialize(message);
  } catch {
    // No message of the contract.
    return undefined;
  }
}

/** `Service/Method`, a line break, the message. */
const calls = grpcRequests.map(([path, message]) => {
  const bytes = serialized(path, message);
  if (bytes === undefined) throw new Error(`${path} takes no such message`);
  return Buffer.concat([Buffer.from(`${path}\n`), bytes]);
});

function damagedCall(mutator: Mutator, seed: Buffer): Buffer {
  const end = seed.indexOf("\n") + 1;
  if (mutator.below(2) === 0)
    return Buffer.concat([seed.subarray(0, end), mutator.bytes(seed.subarray(end))]);
  const [path, message] = mutator.pick(grpcRequests);
  let changed: unknown;
  try {
    changed = JSON.parse(mutator.json(JSON.stringify(message)));
  } catch {
    changed = {};
  }
  const bytes = serialized(path, Object(changed)) ?? mutator.bytes(seed.subarray(end));
  return Buffer.concat([Buffer.from(`${path}\n`), bytes]);
}

type Handler = (
  call: object,
  callback: (error: Partial<StatusObject> | null, answer?: Buffer) => void,
) => void;

function handlersOf(doors: ReturnType<typeof core>["doors"]): ReadonlyMap<string, Handler> {
  const handlers = new Map<string, Handler>();
  const contract = loadContract();
  const server = {
    addService: (definition: ServiceDefinition, of: Record<string, Handler>) => {
      for (const [name, { path }] of Object.entries(definition))
        handlers.set(path.replace("/setlist.v1.", ""), of[name] as Handler);
    },
  } as unknown as Server;
  offerRanking(server, contract, doors, 1_024);
  offerOutcomes(server, contract, doors);
  offerExperiments(server, contract, doors);
  return handlers;
}

function callOf(request: Buffer): EventEmitter {
  return Object.assign(new EventEmitter(), {
    request,
    metadata: new Metadata(),
    cancelled: false,
    getDeadline: () => Number.POSITIVE_INFINITY,
  });
}

async function openGrpc(): Promise<OpenTarget> {
  let taken = 0;
  let { doors, logged } = core();
  let handlers = handlersOf(doors);
  return {
    async take(input) {
      taken += 1;
      if (taken % inputsOfCore === 0) {
        ({ doors, logged } = core());
        handlers = handlersOf(doors);
      }
      const end = input.indexOf("\n");
      const path = input.toString("latin1", 0, end);
      const handler = handlers.get(path);
      if (handler === undefined) return false;
      const bytes = input.subarray(end + 1);
      return path.endsWith("/RankStream") ? streamed(handler, bytes, logged) : called(handler, bytes, logged);
    },
    close: async () => undefined,
  };
}

async function called(
  handler: Handler,
  request: Buffer,
  logged: readonly Record<string, unknown>[],
): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<Partial<StatusObject> | null>();
  handler(callOf(request), (error) => resolve(error));
  const error = await promise;
  if (error === null) return true;
  expectRefusal(error.code === 13 ? "INTERNAL" : "", error.details ?? "", request, logged);
  return false;
}

async function streamed(
  handler: Handler,
  request: Buffer,
  logged: readonly Record<string, unknown>[],
): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const call = Object.assign(callOf(request), {
    sendMetadata: () => undefined,
    pause: () => undefined,
    isPaused: () => false,
    end: () => undefined,
    _write: (message: Buffer, _encoding: string, written: () => void) => {
      resolve(Buffer.from(message));
      written();
    },
  });
  handler(call, () => undefined);
  call.emit("data", request);
  const answer = services["RankingService"]?.["RankStream"]?.responseDeserialize(await promise) as {
    error?: { code: string; detail: string };
  };
  call.emit("close");
  if (!answer.error) return true;
  expectRefusal(answer.error.code, answer.error.detail, request, logged);
  return false;
}

function expectRefusal(
  code: string,
  detail: string,
  request: Buffer,
  logged: readonly Record<string, unknown>[],
): void {
  if (code === "INTERNAL") throw new Error(`answered INTERNAL: ${JSON.stringify(logged.at(-1))}`);
  if (!expectSentence(detail, `${request.toString()}${request.toString("latin1")}`))
    throw new Error(`no detail that one can read: ${detail}`);
}

export const doorTargets: readonly Target[] = [
  {
    name: "http",
    share: 10,
    corpus: requests.map((text) => Buffer.from(text)),
    tokens: httpTokens,
    mutate: damagedRequest,
    open: openHttp,
  },
  { name: "grpc", share: 20, corpus: calls, tokens: httpTokens, mutate: damagedCall, open: openGrpc },
];
