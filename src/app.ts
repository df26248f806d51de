/**
 * The composition root of the server: configuration in, `{ listen, close }` out. Here, and only here, the ports meet
 * their implementations.
 */
import { join } from "node:path";
import { usableDataDirectory } from "./app/data-directory.ts";
import { configurationWriter } from "./app/experiments-data.ts";
import { knownValueModels } from "./app/known-value-models.ts";
import { checkNeedsOf, modelNeeds } from "./app/model-needs.ts";
import { systemClock } from "./app/system-clock.ts";
import { warmModel, warmUp } from "./app/warm-up.ts";
import { loadExperimentDocuments, type SetlistConfig } from "./config.ts";
import { SetlistError } from "./domain/error.ts";
import type { Experiment } from "./domain/experiment.ts";
import { compileAssigner } from "./experiments/experiments.ts";
import { openFeatureStore } from "./features/features.ts";
import { openItemLabels } from "./features/item-labels.ts";
import { createGrpcServer } from "./grpc/grpc.ts";
import { createHttpServer } from "./http/http.ts";
import { openModels } from "./inference/inference.ts";
import { openOutcomeLog } from "./outcomes/outcomes.ts";
import { openRegistry } from "./registry/registry.ts";
import { ConcurrencyLimit } from "./serving/concurrency-limit.ts";
import { createReadiness } from "./serving/readiness.ts";
import { RecentRequests } from "./serving/recent-requests.ts";
import { newRequestId } from "./serving/request-id.ts";
import { createServing } from "./serving/serving.ts";
import { Shadows } from "./serving/shadows.ts";
import { createTelemetry, type Telemetry } from "./telemetry/telemetry.ts";

export interface App {
  readonly logger: Telemetry["logger"];
  /**
   * Opens the ports and says "ready" with the numbers it got.
   * @throws {SetlistError} UNAVAILABLE where a port cannot be had; everything is closed then.
   */
  listen(): Promise<{ httpPort: number; grpcPort: number }>;
  /** Not ready at once, serving on for the drain delay, then what is in flight, then sync and seal. */
  close(): Promise<void>;
}

/**
 * Loads and checks everything that serving needs; nothing listens yet.
 * @throws {SetlistError} a sentence that names the file or field, what was expected and what was found.
 */
export async function createApp(config: SetlistConfig): Promise<App> {
  // What was opened is closed in the opposite order, also when a later part refuses to start.
  const opened = new AsyncDisposableStack();
  try {
    return await assemble(config, opened);
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}

async function assemble(config: SetlistConfig, opened: AsyncDisposableStack): Promise<App> {
  const clock = systemClock;
  const { limits } = config;
  const telemetry = createTelemetry({ clock, logLevel: config.logLevel });
  const { logger, observer, shadowObserver, requests, metrics } = telemetry;
  const onWarning = (message: string, fields: Record<string, unknown> = {}): void =>
    logger.warn(fields, message);
  for (const warning of config.warnings) onWarning(warning);

  const dataDir = await usableDataDirectory(config.dataDir);
  const log = opened.adopt(
    await openOutcomeLog({ directory: join(dataDir, "log"), ...config.log, clock, onWarning }),
    (it) => it.close(),
  );
  const features = opened.adopt(
    await openFeatureStore({
      directory: join(dataDir, "features"),
      world: config.world,
      ...config.features,
      onWarning,
    }),
    (it) => it.close(),
  );
  const itemLabels = opened.adopt(
    await openItemLabels({ directory: join(dataDir, "features"), world: config.world, ...config.features }),
    (it) => it.close(),
  );
  const registry = opened.adopt(openRegistry({ dataDir, clock }), (it) => it.close());
  // What the experiments will be once the models are there to hold them against: it says which are needed.
  const written = registry.preview(loadExperimentDocuments(config.experiments), configurationWriter);
  let experiments = (): readonly Experiment[] => written;
  const recent = new RecentRequests(clock);
  const models = opened.adopt(
    await openModels({
      repository: config.models,
      ...config.inference,
      policyOf: (name) => config.inference.perModel.get(name)?.versions ?? config.inference.versions,
      needs: () => modelNeeds(config.surfaces, experiments()),
      labels: registry.labels,
      clock,
      hooks: {
        accept(model) {
          const itemFeatures = itemLabels.features();
          checkNeedsOf(model, { ...config, scorer, experiments: experiments(), itemFeatures });
          features.prepare([model]);
        },
        warm: (model, score) => warmModel(model, features, recent.of(model.surface), score),
        inUse: (model) => features.isEncoding(model),
        gone: (model) => features.forget(model),
      },
      onWarning,
      onEvent: telemetry.modelChanged,
      onWorkerDeath: telemetry.workerDied,
    }),
    (it) => it.close(),
  );
  const { scorer, library } = models;
  telemetry.watchModels(scorer, library);
  features.prepare(scorer.models());
  await warmUp(scorer, features, clock);

  for (const [surface, { defaultModel, shadow }] of config.surfaces) {
    for (const [field, ref] of Object.entries({ defaultModel, "shadow.model": shadow?.model })) {
      if (ref === undefined || scorer.resolve(ref)?.surface === surface) continue;
      throw new SetlistError(
        "INVALID_ARGUMENT",
        `surfaces.${surface}.${field}: no model ${JSON.stringify(ref.name)} for it in ${config.models}`,
      );
    }
  }
  const known = {
    surfaces: [...config.surfaces.keys()],
    models: [...scorer.models(), ...models.shelved()],
    ...knownValueModels(config.surfaces, scorer, itemLabels.features()),
  };
  registry.sync(loadExperimentDocuments(config.experiments, known), configurationWriter);
  experiments = () => registry.list();
  const assigner = compileAssigner(experiments());

  const concurrency = new ConcurrencyLimit({ clock, ...config.admission });
  telemetry.watchConcurrency(concurrency);
  const hasShadows = [...config.surfaces.values()].some(({ shadow }) => shadow !== undefined);
  const shadows = hasShadows
    ? opened.adopt(
        new Shadows({ features, itemLabels, scorer, log, observer: shadowObserver, clock }),
        (it) => it.close(),
      )
    : undefined;
  const serving = createServing({
    concurrency,
    surfaces: config.surfaces,
    assigner: () => assigner,
    features,
    itemLabels,
    scorer,
    log,
    observer,
    clock,
    limits,
    newRequestId,
    recent,
    shadows,
  });
  const readiness = createReadiness();
  const doors = {
    serving,
    experiments: registry,
    scorer,
    models: library,
    readiness,
    metrics,
    requests,
    limits,
    clock,
    logger,
  };
  const http = createHttpServer(doors);
  const grpc = createGrpcServer(doors);
  // Both at once: one that waits for its last answers must not leave the other open meanwhile.
  opened.defer(async () => void (await Promise.all([http.close(), grpc.close()])));

  return {
    logger,
    async listen() {
      try {
        const httpPort = await http.listen(config.host, config.httpPort);
        const grpcPort = await grpc.listen(config.host, config.grpcPort);
        models.follow();
        readiness.set("ready");
        logger.info({ httpPort, grpcPort }, "ready");
        return { httpPort, grpcPort };
      } catch (error) {
        await opened.disposeAsync();
        throw error;
      }
    },
    async close() {
      readiness.set("draining");
      await new Promise((resolve) => setTimeout(resolve, config.drainDelayMs));
      await opened.disposeAsync();
    },
  };
}
