import { defaultLimits } from "../domain/limits.ts";
import type { SetlistConfig } from "./settings.ts";

/** From the request's arrival; generous, for a frontend in a hurry names its own. */
export const defaultTimeoutMs = 200;

/** All requests, for what there is no time for is dropped anyway; ten is about what a page shows at first. */
export const defaultShadow = { share: 1, topK: 10 };

/**
 * What stands where no flag, variable or file says otherwise. The same values, with their reasons for people, stand in
 * config/setlist.yaml.
 */
export const defaults = {
  host: "127.0.0.1",
  httpPort: 8080,
  grpcPort: 9090,
  experimentStore: {},
  processes: 1,
  logLevel: "info",
  // Long enough for a load balancer that asks /readyz every second to look elsewhere.
  drainDelayMs: 2_000,
  surfaces: new Map([
    ["home", { defaultModel: { name: "home-control" }, timeoutMs: defaultTimeoutMs }],
    ["radio", { defaultModel: { name: "radio-control" }, timeoutMs: defaultTimeoutMs }],
  ]),
  limits: defaultLimits,
  // A segment is read whole when it is sealed, and found by scanning at a start: 64 MiB takes well under a second.
  // What is sealed can be compacted and shipped. Senders that could not reach us for a long weekend send again; 25 million
  // outcomes fit. A full disk is somebody's to see within the hour: 64 MiB are 40 s at 1,000 impressions a second.
  log: {
    segmentBytesMax: 64 * 1_048_576,
    segmentAgeMaxMs: 600_000,
    syncIntervalMs: 50,
    dedupeWindowMs: 7 * 86_400_000,
    dedupeMemoryBytesMax: 512 * 1_048_576,
    impressionBufferBytesMax: 64 * 1_048_576,
    servedFeatures: { share: 0 },
    candidatesBeyondLimit: 0,
  },
  // A look is two listings of folders. A segment fills in two seconds at the fastest, in hours on most servers.
  warehouse: { compact: true, intervalMs: 60_000 },
  // A batch holds at least one request of the most candidates; a full queue is refused rather than answered late.
  inference: {
    workers: 1,
    // 0.03 ms a request dearer than a thread, and not slower under load: docs/performance.md.
    isolation: "process",
    batchRowsMax: 800,
    queueRequestsMax: 256,
    // Whatever comes while a worker is busy goes together anyway.
    queueDelayMaxUs: 0,
    // A burst may wait for half of a surface's 200 ms; a standing queue is only lateness, and a few runs keep it full.
    queueWaitMaxMs: 100,
    standingQueueWaitMaxMs: 20,
    // More than most pages show.
    reducedCandidates: 50,
    executionProviders: ["cpu"],
    versions: "latest",
    // File events tell of most changes at once; this is for file systems that tell nothing.
    repositoryPollMs: 5_000,
    perModel: new Map(),
  },
  // The slowest take two to three times the mean, and a frontend waits for 50 ms or so.
  admission: { answerMsTarget: 20, inFlightMax: 1_024 },
  // Encoded rows kept for each model and entity. In our models an item takes about 230 bytes (108 of them numbers), a
  // user 340 (220): with everything kept, some 55 MB a model.
  features: { cacheRowsMax: 100_000 },
  // Looking is cheap, and always valid; the analysis reads the whole phase, in a process of its own.
  guardrails: { checkMs: 60_000, logCheckMs: 600_000 },
  shipping: {
    brokers: [],
    topicPrefix: "setlist",
    clientId: "setlist",
    securityProtocol: "PLAINTEXT",
    saslMechanism: "SCRAM-SHA-512",
    compression: "zstd",
    // Two thirds of what one core can send: catching up after an outage is not to be felt by those who wait for answers.
    bytesPerSecondMax: 32 * 1_048_576,
  },
} satisfies Partial<SetlistConfig>;

/** Below the project's own folder, so that `serve` finds them from anywhere. */
export const defaultPaths = {
  models: "models/repository",
  world: "models/world",
  experiments: "config/experiments",
};
export const defaultConfigFile = "config/setlist.yaml";

/** Below the folder where the command is run: data belongs to whoever runs it. */
export const defaultDataDir = "data";
