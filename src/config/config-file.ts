import Type, { type Static } from "typebox";
import { executionProviders } from "../domain/execution-provider.ts";
import { attributeTypes } from "../domain/feature.ts";
import { isolations } from "../domain/isolation.ts";
import {
  brokerPattern,
  kafkaCompressions,
  kafkaSaslMechanisms,
  kafkaSecurityProtocols,
} from "../domain/kafka.ts";
import { defaultLimits, type Limits } from "../domain/limits.ts";
import { logLevels } from "../domain/log-level.ts";
import { durationSchema } from "../experiments/experiments.ts";
import { valueModelOverrideSchema } from "../schema/value-model.ts";

const closed = { additionalProperties: false };
const port = Type.Integer({ minimum: 0, maximum: 65_535 });
const positive = Type.Integer({ minimum: 1, maximum: 2 ** 40 });
/** Of disks, not of memory: a petabyte. */
const manyBytes = Type.Integer({ minimum: 1, maximum: 1e15 });
const milliseconds = Type.Integer({ minimum: 0, maximum: 600_000 });
const interval = Type.Integer({ minimum: 100, maximum: 86_400_000 });
/** A table of ids takes some 100 kB however few there are. */
const memoryBytes = Type.Integer({ minimum: 1_048_576, maximum: 2 ** 40 });
/** YAML writes 0 as a number, a variable as text. */
const durationOrNever = Type.Union(
  [Type.String({ pattern: "^(0|[1-9][0-9]{0,5}[smhd])$" }), Type.Literal(0)],
  { "x-expected": "0 for never, or a whole number from 1 to 999999 of s, m, h or d, such as 90s or 30m" },
);
const path = Type.String({ minLength: 1, maxLength: 4_096 });

const absolutePath = Type.String({ pattern: "^/", maxLength: 4_096, description: "an absolute path" });

const versionNumber = Type.String({ pattern: "^[1-9][0-9]{0,8}$" });
const label = Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" });

const modelRef = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 64 }),
    version: Type.Optional(versionNumber),
    label: Type.Optional(label),
  },
  closed,
);

const surface = Type.Object(
  {
    defaultModel: modelRef,
    shadow: Type.Optional(
      Type.Object(
        {
          model: modelRef,
          share: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
          topK: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
        },
        closed,
      ),
    ),
    timeoutMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 600_000 })),
    valueModel: Type.Optional(valueModelOverrideSchema),
  },
  closed,
);

const providers = Type.Array(Type.Union(executionProviders.map((name) => Type.Literal(name))), {
  minItems: 1,
  maxItems: executionProviders.length,
});

/** Of a model's versions, those that are served; src/inference/version-policy.ts says what each means. */
const versions = Type.Union([
  Type.String({ pattern: "^(all|latest|latest [1-9][0-9]{0,2})$" }),
  Type.Array(versionNumber, { minItems: 1, maxItems: 100 }),
]);

const attributes = Type.Record(
  Type.String({ minLength: 1, maxLength: 128 }),
  Type.Union(attributeTypes.map((type) => Type.Literal(type))),
);

const holdout = Type.Object(
  {
    share: Type.Number({ minimum: 0, maximum: 1 }),
    layers: Type.Optional(Type.Array(label, { minItems: 1, maxItems: 1_000 })),
    unit: Type.Optional(Type.String({ maxLength: 256 })),
  },
  closed,
);

const limitNames = Object.keys(defaultLimits) as (keyof Limits)[];
const limit = Type.Optional(positive);

/** The configuration file; every field may be left out. */
export const configFileSchema = Type.Object(
  {
    host: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
    httpPort: Type.Optional(port),
    grpcPort: Type.Optional(port),
    dataDir: Type.Optional(path),
    models: Type.Optional(path),
    world: Type.Optional(path),
    experiments: Type.Optional(path),
    // Not checked here: what is wrong would be shown, and it may hold a password.
    experimentStore: Type.Optional(Type.Object({ url: Type.Optional(Type.String()) }, closed)),
    processes: Type.Optional(Type.Integer({ minimum: 1, maximum: 256 })),
    logLevel: Type.Optional(Type.Union(logLevels.map((name) => Type.Literal(name)))),
    drainDelayMs: Type.Optional(milliseconds),
    surfaces: Type.Optional(Type.Record(Type.String({ pattern: "^[a-z0-9-]{1,64}$" }), surface, closed)),
    attributes: Type.Optional(
      Type.Object({ user: Type.Optional(attributes), context: Type.Optional(attributes) }, closed),
    ),
    holdouts: Type.Optional(
      Type.Record(Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" }), holdout, closed),
    ),
    limits: Type.Optional(
      Type.Object(
        Object.fromEntries(limitNames.map((name) => [name, limit])) as Record<keyof Limits, typeof limit>,
        closed,
      ),
    ),
    log: Type.Optional(
      Type.Object(
        {
          segmentBytesMax: Type.Optional(positive),
          segmentAgeMax: Type.Optional(durationOrNever),
          syncIntervalMs: Type.Optional(milliseconds),
          dedupeWindow: Type.Optional(durationSchema),
          dedupeMemoryBytesMax: Type.Optional(memoryBytes),
          impressionBufferBytesMax: Type.Optional(Type.Integer({ minimum: 0, maximum: 2 ** 40 })),
          retentionAge: Type.Optional(durationSchema),
          retentionBytesMax: Type.Optional(manyBytes),
          servedFeatures: Type.Optional(
            Type.Object({ share: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })) }, closed),
          ),
          candidatesBeyondLimit: Type.Optional(Type.Integer({ minimum: 0, maximum: 10_000 })),
          // The key itself stands in no configuration, which people show each other.
          userIdKeyFile: Type.Optional(path),
        },
        closed,
      ),
    ),
    warehouse: Type.Optional(
      Type.Object(
        {
          compact: Type.Optional(Type.Boolean()),
          interval: Type.Optional(durationSchema),
          retentionAge: Type.Optional(durationSchema),
          retentionBytesMax: Type.Optional(manyBytes),
        },
        closed,
      ),
    ),
    inference: Type.Optional(
      Type.Object(
        {
          workers: Type.Optional(Type.Integer({ minimum: 1, maximum: 256 })),
          isolation: Type.Optional(Type.Union(isolations.map((name) => Type.Literal(name)))),
          batchRowsMax: Type.Optional(positive),
          queueRequestsMax: Type.Optional(positive),
          queueDelayMaxUs: Type.Optional(Type.Integer({ minimum: 0, maximum: 10_000 })),
          queueWaitMaxMs: Type.Optional(positive),
          standingQueueWaitMaxMs: Type.Optional(positive),
          reducedCandidates: Type.Optional(positive),
          executionProviders: Type.Optional(providers),
          versions: Type.Optional(versions),
          repositoryPollMs: Type.Optional(milliseconds),
          perModel: Type.Optional(
            Type.Record(
              Type.String({ pattern: "^[a-z0-9-]{1,64}$" }),
              Type.Object(
                { executionProviders: Type.Optional(providers), versions: Type.Optional(versions) },
                closed,
              ),
              closed,
            ),
          ),
        },
        closed,
      ),
    ),
    admission: Type.Optional(
      Type.Object({ answerMsTarget: Type.Optional(positive), inFlightMax: Type.Optional(positive) }, closed),
    ),
    guardrails: Type.Optional(
      Type.Object({ checkMs: Type.Optional(interval), logCheckMs: Type.Optional(interval) }, closed),
    ),
    shipping: Type.Optional(
      Type.Object(
        {
          brokers: Type.Optional(
            Type.Array(Type.String({ pattern: brokerPattern, description: "host:port" }), {
              maxItems: 100,
            }),
          ),
          topicPrefix: Type.Optional(Type.String({ pattern: "^[A-Za-z0-9._-]{1,200}$" })),
          clientId: Type.Optional(Type.String({ pattern: "^[A-Za-z0-9._-]{1,200}$" })),
          securityProtocol: Type.Optional(
            Type.Union(kafkaSecurityProtocols.map((name) => Type.Literal(name))),
          ),
          tlsCaFile: Type.Optional(absolutePath),
          tlsCertFile: Type.Optional(absolutePath),
          tlsKeyFile: Type.Optional(absolutePath),
          saslMechanism: Type.Optional(Type.Union(kafkaSaslMechanisms.map((name) => Type.Literal(name)))),
          saslUsername: Type.Optional(Type.String()),
          // Not checked here: what is wrong would be shown.
          saslPassword: Type.Optional(Type.String()),
          compression: Type.Optional(Type.Union(kafkaCompressions.map((name) => Type.Literal(name)))),
          bytesPerSecondMax: Type.Optional(positive),
        },
        closed,
      ),
    ),
    features: Type.Optional(Type.Object({ cacheRowsMax: Type.Optional(positive) }, closed)),
  },
  closed,
);

export type ConfigFile = Static<typeof configFileSchema>;
