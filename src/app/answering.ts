/** The composition root of whoever answers: the ports of its rooms meet their implementations here. */
import type { SetlistConfig } from "../config.ts";
import type { ExperimentHealthSource } from "../domain/experiment-health.ts";
import type { ModelLibrary } from "../domain/model-life.ts";
import type { MetricsSource } from "../domain/observers.ts";
import type { LogTrouble, OutcomeLog } from "../domain/outcome-log.ts";
import { openRows } from "../features/features.ts";
import { openItemLabels } from "../features/item-labels.ts";
import { createGrpcServer } from "../grpc/grpc.ts";
import { createHttpServer } from "../http/http.ts";
import { openModels } from "../inference/inference.ts";
import { PseudonymousLog } from "../outcomes/outcomes.ts";
import { StickyArmsFile } from "../registry/sticky-arms.ts";
import {
  checkNeedsOf,
  checkSurfaceModels,
  defaultModelsOf,
  ExperimentWrites,
  knownValueModels,
  LiveExperiments,
  valueModelsOf,
} from "../rollout/rollout.ts";
import { ArmTraffic } from "../serving/arm-traffic.ts";
import { ConcurrencyLimit } from "../serving/concurrency-limit.ts";
import { createReadiness } from "../serving/readiness.ts";
import { RecentRequests } from "../serving/recent-requests.ts";
import { newRequestId } from "../serving/request-id.ts";
import { createServing } from "../serving/serving.ts";
import { Shadows } from "../serving/shadows.ts";
import { warmModel, warmUp } from "../serving/warm-up.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { openExperiments } from "./data/experiment-store.ts";
import type { ExperimentSource } from "./experiment-source.ts";
import { guardianOver } from "./guardian-over.ts";
import { systemClock } from "./system-clock.ts";

export interface Ports {
  readonly httpPort: number;
  readonly grpcPort: number;
}

/** What a process that answers finds around it: all of it its own, or some of it shared with others. */
export interface Surroundings {
  readonly telemetry: Telemetry;
  readonly log: OutcomeLog;
  /** Why the disk refuses the log, undefined where it does not. */
  readonly logTrouble: () => Promise<LogTrouble | undefined>;
  /** The file of the world's imported rows. */
  readonly rows: string;
  readonly experiments: ExperimentSource;
  /** What the doors show as the server's metrics. */
  readonly metrics: MetricsSource;
  /** What the doors change models with. */
  readonly libraryOf: (own: ModelLibrary) => ModelLibrary;
  /** Where another process looks after the experiments; this one does where undefined. */
  readonly health?: ExperimentHealthSource | undefined;
  /** Whether other processes open the same ports. */
  readonly sharedPorts: boolean;
}

/** The part of the server that answers. */
export interface Answering {
  /** The models of this process. */
  readonly library: ModelLibrary;
  /** What it answered for arms. */
  readonly armTraffic: ArmTraffic;
  /** As `App.listen`, without a word. */
  listen(ports: Ports): Promise<Ports>;
  /** As `App.close`. */
  close(): Promise<void>;
}

/** @param surround what it opens goes onto the stack that it is given. @throws {SetlistError} as `createApp`. */
export async function openAnswering(
  config: SetlistConfig,
  surround: (opened: AsyncDisposableStack) => Promise<Surroundings>,
): Promise<Answering> {
  // What was opened is closed in the opposite order, also when a later part refuses to start.
  const opened = new AsyncDisposableStack();
  try {
    return await assemble(config, await surround(opened), opened);
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}

async function assemble(
  config: SetlistConfig,
  surroundings: Surroundings,
  opened: AsyncDisposableStack,
): Promise<Answering> {
  const { dataDir, limits } = config;
  const { rows, experiments: source, metrics, libraryOf, sharedPorts } = surroundings;
  const { userIdKey, servedFeatures, candidatesBeyondLimit } = config.log;
  const log = userIdKey === undefined ? surroundings.log : new PseudonymousLog(surroundings.log, userIdKey);
  const { telemetry } = surroundings;
  const { logger, observer, shadowObserver, requests } = telemetry;
  const clock = systemClock;
  const onWarning = (warning: string, fields: Record<string, unknown> = {}): void =>
    logger.warn(fields, warning);

  const features = opened.adopt(openRows(rows, { ...config.features, onWarning }), (it) => it.close());
  const itemLabels = opened.adopt(openItemLabels(rows, config.features.cacheRowsMax), (it) => it.close());
  const { store, labels } = await openExperiments(config, opened, onWarning);
  const sticky = opened.adopt(
    new StickyArmsFile(dataDir, false, (error) => logger.warn({ err: error }, "an arm cannot be kept")),
    (it) => it.close(),
  );
  const live = new LiveExperiments({
    store,
    holdouts: config.holdouts,
    keptArm: (experiment, unit) => sticky.get(experiment, unit),
    configured: config.surfaces,
    expected: source.expected(store),
    onWarning,
    onChange: telemetry.experimentsChanged,
  });
  opened.defer(() => live.close());
  telemetry.watchExperiments(store, clock);
  const { surfaces } = live;
  const recent = new RecentRequests(clock);
  const models = opened.adopt(
    await openModels({
      repository: config.models,
      ...config.inference,
      policyOf: (name) => config.inference.perModel.get(name)?.versions ?? config.inference.versions,
      needs: () => live.needs(),
      labels,
      clock,
      hooks: {
        accept(model) {
          const itemFeatures = itemLabels.features();
          checkNeedsOf(model, {
            surfaces,
            configured: config.surfaces,
            scorer,
            experiments: live.experiments,
            itemFeatures,
          });
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

  const students = () => [...scorer.models(), ...models.shelved()];
  checkSurfaceModels(config, scorer, students());
  const known = () => ({
    surfaces: [...surfaces.keys()],
    attributes: config.attributes,
    models: students(),
    ...knownValueModels(config.surfaces, scorer, itemLabels.features()),
    valueModels: valueModelsOf(surfaces),
    defaultModels: defaultModelsOf(surfaces),
  });
  await source.settle(store, known());
  live.begin(models);

  const concurrency = new ConcurrencyLimit({ clock, ...config.admission });
  telemetry.watchConcurrency(concurrency);
  const shadows = opened.adopt(
    new Shadows({ features, itemLabels, scorer, log, observer: shadowObserver, clock }),
    (it) => it.close(),
  );
  const armTraffic = new ArmTraffic();
  const serving = createServing({
    armTraffic,
    concurrency,
    surfaces,
    assigner: () => live.assigner,
    features,
    itemLabels,
    scorer,
    log,
    sticky,
    observer,
    clock,
    limits,
    attributes: config.attributes,
    newRequestId,
    recent,
    shadows,
    servedFeatures,
    candidatesBeyondLimit,
  });
  const health =
    surroundings.health ??
    guardianOver(
      config,
      {
        store,
        clock,
        collect: async () => armTraffic.take(),
        observer: telemetry.guardianObserver,
        metrics: telemetry.guardrailMetrics,
      },
      opened,
    );
  const readiness = createReadiness();
  const doors = {
    serving,
    experiments: store,
    health,
    writes: new ExperimentWrites({ store, known, prepare: (change) => live.prepare(change) }),
    surfaces: config.surfaces,
    scorer,
    models: libraryOf(library),
    readiness,
    logTrouble: surroundings.logTrouble,
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

  await http.prepare();
  models.follow();

  return {
    library,
    armTraffic,
    async listen({ httpPort, grpcPort }) {
      try {
        const ports = {
          httpPort: await http.listen(config.host, httpPort, sharedPorts),
          grpcPort: await grpc.listen(config.host, grpcPort, sharedPorts),
        };
        readiness.set("ready");
        return ports;
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
