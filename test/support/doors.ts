import type { ModelExecution } from "../../src/domain/execution-provider.ts";
import type { Experiment } from "../../src/domain/experiment.ts";
import type { ExperimentStore } from "../../src/domain/experiment-store.ts";
import { defaultLimits, type Limits } from "../../src/domain/limits.ts";
import type { Model } from "../../src/domain/model.ts";
import type { ModelLibrary } from "../../src/domain/model-life.ts";
import type { Outcome } from "../../src/domain/outcome.ts";
import type { LogTrouble } from "../../src/domain/outcome-log.ts";
import type { Revision } from "../../src/domain/store-state.ts";
import { createGrpcServer, type GrpcOptions } from "../../src/grpc/grpc.ts";
import { Guardian } from "../../src/guardrails/guardrails.ts";
import { type ConnectionRules, createHttpServer } from "../../src/http/http.ts";
import type { ExperimentWrites } from "../../src/rollout/experiment-writes.ts";
import { ConcurrencyLimit } from "../../src/serving/concurrency-limit.ts";
import { createReadiness, type ReadinessSwitch } from "../../src/serving/readiness.ts";
import { createServing, type Serving, type ServingDependencies } from "../../src/serving/serving.ts";
import { Shadows } from "../../src/serving/shadows.ts";
import { createTelemetry } from "../../src/telemetry/telemetry.ts";
import { emptyRequest } from "./encoded-request.ts";
import { storeOf, writesOf } from "./experiment-store.ts";
import { type GrpcCaller, grpcCaller } from "./grpc-caller.ts";
import { standingLibrary } from "./model-library.ts";

/** Both transports over the real serving core, whose ports are plain values held in memory. */
export interface Doors {
  readonly http: string;
  readonly grpcAddress: string;
  readonly grpc: GrpcCaller;
  readonly readiness: ReadinessSwitch;
  /** Every line that the server logged, parsed. */
  readonly logged: Record<string, unknown>[];
  readonly recorded: Outcome[];
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<HttpAnswer>;
  get(path: string): Promise<HttpAnswer>;
  closeHttp(): Promise<void>;
  closeGrpc(): Promise<void>;
  close(): Promise<void>;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body where it is JSON, else an empty object. */
  readonly body: Record<string, unknown>;
}

const clock = { now: () => Date.now(), monotonic: () => performance.now() };

export const testModel: Model = {
  name: "home-control",
  version: "1",
  role: "student",
  surface: "home",
  description: "For tests",
  tasks: ["click", "completion"],
  inputs: [],
  features: [],
  valueModel: { kind: "weighted-sum", weights: { click: 1, completion: 2 } },
  provenance: { seed: 1, offlineMetrics: { auc: 0.7 } },
};

export const testExecution: ModelExecution = {
  configured: ["cuda", "webgpu"],
  provider: "webgpu",
  operators: { webgpu: 70, cpu: 4 },
};

export const testExperiment: Experiment = {
  id: "home-kd",
  description: "Does the teacher help?",
  surface: "home",
  layer: "home-ranker",
  unit: "user",
  salt: "home-kd",
  traffic: 1,
  status: "running",
  arms: [
    { id: "control", control: true, weight: 1, model: { name: "home-control", version: "1" } },
    { id: "kd", control: false, weight: 1, model: { name: "home-kd" } },
  ],
  targeting: "user.country == 'DE'",
  overrides: { "qa-1": "kd" },
  metrics: [
    { id: "clicks", type: "mean", outcome: "click", aggregate: "count", goal: "increase", role: "primary" },
  ],
  revision: 3,
  phase: 1,
  ranges: [{ from: 0, to: 1 }],
};

const revision: Revision<Experiment> = {
  document: testExperiment,
  who: "configuration",
  at: Date.UTC(2026, 10, 22, 8),
  what: "created",
  hash: undefined,
};

const knownModels = [
  { name: "home-control", version: "1", surface: "home" },
  { name: "home-kd", version: "1", surface: "home" },
  { name: "radio-kd", version: "1", surface: "radio" },
];

interface CoreChange {
  ports?: Partial<ServingDependencies>;
  serving?: Partial<Serving>;
  experiments?: ExperimentStore;
  writes?: ExperimentWrites;
  models?: ModelLibrary;
  limits?: Partial<Limits>;
  logTrouble?: () => Promise<LogTrouble | undefined>;
}

/** What both transports answer with. `change` replaces ports; `serving` replaces the whole core. */
export function openCore(change: CoreChange = {}) {
  const limits = { ...defaultLimits, ...change.limits };
  const logged: Record<string, unknown>[] = [];
  const recorded: Outcome[] = [];
  const telemetry = createTelemetry({
    clock,
    logLevel: "debug",
    destination: { write: (line) => logged.push(JSON.parse(line)) },
  });
  const ports = { ...portsInMemory(telemetry.observer, recorded), limits, ...change.ports };
  const shadows = new Shadows({ ...ports, observer: telemetry.shadowObserver });
  const serving = { ...createServing({ shadows, ...ports }), ...change.serving };
  telemetry.watchConcurrency(ports.concurrency);
  const readiness = createReadiness();
  const { logger, metrics, requests } = telemetry;
  const store = change.experiments ?? storeOf([testExperiment], [revision]);
  const doors = {
    serving,
    experiments: store,
    health: new Guardian({
      store,
      clock,
      checkMs: 60_000,
      collect: async () => [],
      figuresOf: () => ({ figures: undefined, problem: undefined }),
      observer: telemetry.guardianObserver,
    }),
    writes: change.writes ?? writesOf(store, { surfaces: [...ports.surfaces.keys()], models: knownModels }),
    surfaces: ports.surfaces,
    scorer: ports.scorer,
    models: change.models ?? standingLibrary(),
    readiness,
    logTrouble: change.logTrouble ?? (async () => undefined),
    metrics,
    requests,
    limits,
    clock,
    logger,
  };
  return { doors, logged, recorded };
}

/** As `openCore`, listening. */
export async function openDoors(
  change: CoreChange & {
    connectionRules?: Partial<ConnectionRules>;
    grpcRules?: NonNullable<GrpcOptions["connectionRules"]>;
    closeGraceMs?: number;
    sharedPorts?: boolean;
  } = {},
): Promise<Doors> {
  const { doors, logged, recorded } = openCore(change);
  const { readiness } = doors;
  const { closeGraceMs, sharedPorts } = change;
  const httpServer = createHttpServer({ ...doors, connectionRules: change.connectionRules ?? {} });
  const grpcRules = { ...change.grpcRules, ...(closeGraceMs !== undefined && { closeGraceMs }) };
  const grpcServer = createGrpcServer({ ...doors, connectionRules: grpcRules });
  const http = `http://127.0.0.1:${await httpServer.listen("127.0.0.1", 0, sharedPorts)}`;
  const grpcAddress = `127.0.0.1:${await grpcServer.listen("127.0.0.1", 0, sharedPorts)}`;
  const grpc = grpcCaller(grpcAddress);
  readiness.set("ready");
  return {
    http,
    grpcAddress,
    grpc,
    readiness,
    logged,
    recorded,
    get: (path) => httpCall(http + path),
    post: (path, body, headers = { "content-type": "application/json" }) => {
      const sent = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
      return httpCall(http + path, { method: "POST", headers, body: sent as string });
    },
    closeHttp: () => httpServer.close(),
    closeGrpc: () => grpcServer.close(),
    async close() {
      grpc.close();
      await Promise.all([httpServer.close(), grpcServer.close()]);
    },
  };
}

export async function httpCall(url: string, init?: RequestInit): Promise<HttpAnswer> {
  const response = await fetch(url, init);
  const text = await response.text();
  // The answer to HEAD names a content type, but has none.
  const json = text !== "" && response.headers.get("content-type")?.includes("json") === true;
  return { status: response.status, headers: response.headers, text, body: json ? JSON.parse(text) : {} };
}

/** A scorer that prefers the last candidate, so that an order differs from the one it came in. */
function portsInMemory(observer: ServingDependencies["observer"], recorded: Outcome[]): ServingDependencies {
  const assignment = {
    experiment: "home-kd",
    arm: "control",
    layer: "home-ranker",
    phase: 1,
    unit: "u1",
    propensity: 0.5,
    overridden: false,
  };
  const decision = {
    experiment: "home-kd",
    layer: "home-ranker",
    reason: "assigned" as const,
    detail: "u1 is in control",
    arm: "control",
    unit: "u1",
    layerBucket: 0.25,
    armBucket: 0.125,
    holdouts: [{ holdout: "everyone", bucket: 0.5 }],
  };
  const ids = new Set<string>();
  const shown = new Set<string>();
  return {
    surfaces: new Map([["home", { defaultModel: { name: "home-control" }, timeoutMs: 50 }]]),
    assigner: () => ({
      assign: (_surface, unit) => [{ ...assignment, unit }],
      explain: () => [decision],
      decide: (experiment, unit) =>
        experiment === testExperiment.id ? { decision, assignment: { ...assignment, unit } } : undefined,
      decideAll: (unit) => [{ decision, assignment: { ...assignment, unit } }],
      experiments: [testExperiment],
      armOf: () => testExperiment.arms[0] as Experiment["arms"][number],
      experimentOf: () => testExperiment,
      isToBeKept: () => false,
    }),
    features: {
      encode: async (_model, request) => ({
        ...emptyRequest,
        candidateCount: request.candidates.length,
        defaultedCount: [...request.candidates].filter((candidate) => candidate.id.startsWith("unknown"))
          .length,
      }),
      close: async () => {},
    },
    scorer: {
      resolve: ({ name }) => ({ ...testModel, name }),
      candidatesMax: () => Number.POSITIVE_INFINITY,
      models: () => [testModel],
      execution: () => testExecution,
      score: async (_model, { candidateCount }) => ({
        probabilities: Float32Array.from({ length: candidateCount * 2 }, (_, i) => (i + 1) / 10_000),
        queueMs: 0.5,
        inferenceMs: 1.25,
      }),
      // As sure of every candidate as the one that serves, and of the opposite order.
      scoreSpare: async (_model, { candidateCount }) =>
        Float32Array.from({ length: candidateCount * 2 }, (_, i) => (candidateCount * 2 - i) / 10_000),
      close: async () => {},
    },
    log: {
      appendImpression: async (impression) => {
        shown.add(impression.requestId);
      },
      appendOutcomes: async (outcomes) => {
        const fresh = outcomes.filter(({ outcomeId }) => !ids.has(outcomeId) && ids.add(outcomeId));
        recorded.push(...fresh);
        const unmatched = fresh.filter((outcome) => !shown.has(outcome.requestId)).length;
        return { accepted: fresh.length, duplicates: outcomes.length - fresh.length, unmatched };
      },
      appendShadow: async () => {},
      close: async () => {},
    },
    observer,
    clock,
    concurrency: new ConcurrencyLimit({ clock, answerMsTarget: 25, inFlightMax: 1_024 }),
    limits: defaultLimits,
    newRequestId: () => "made",
  };
}
