import type { Clock } from "../domain/clock.ts";
import type { EncodedRequest } from "../domain/feature-store.ts";
import type { Isolation } from "../domain/isolation.ts";
import { Backlog, endlessWaits, type WaitLimits } from "./backlog.ts";
import { BatchingScorer } from "./batching-scorer.ts";
import { type LoadedModel, LoadedModels } from "./loaded-models.ts";
import { ModelExecutions } from "./model-executions.ts";
import { loadModel } from "./model-load.ts";
import { orderFor } from "./posted-run.ts";
import { cpuAlone, ProviderChoice, type ProviderSettings } from "./provider-choice.ts";
import type { RemoteWorker } from "./remote-worker.ts";
import type { StoredModel } from "./repository.ts";
import type { WorkerHost } from "./worker-host.ts";
import { spawners } from "./worker-isolation.ts";
import type { SpawnWorker } from "./worker-link.ts";
import { WorkerPool } from "./worker-pool.ts";

/** Without wait limits a request may wait for ever. */
export interface EngineOptions extends Partial<ProviderSettings>, Partial<WaitLimits> {
  /** Threads or processes that infer, each with one session a model. */
  readonly workers: number;
  /** Which of the two they are; threads where undefined. */
  readonly isolation?: Isolation | undefined;
  /** Candidates of one run. A request with more goes alone. */
  readonly batchRowsMax: number;
  /** Requests that may wait while every worker is busy. */
  readonly queueRequestsMax: number;
  /** How long a request may wait for others to share its run although a worker is idle; 0 where left out. */
  readonly queueDelayMaxUs?: number | undefined;
  /** Candidates of a request that are scored while inference is behind; all where undefined. */
  readonly reducedCandidates?: number | undefined;
  readonly clock: Clock;
  readonly onWarning?: ((warning: string) => void) | undefined;
  /** A worker ended unasked. */
  readonly onWorkerDeath?: (() => void) | undefined;
  /** Another worker than ours that speaks the same messages: how tests let one die. */
  readonly spawn?: SpawnWorker | undefined;
}

/** Scores a request in the very worker that was just given the model, unseen by anybody else; releases the request. */
export type ScoreAside = (request: EncodedRequest) => Promise<Float32Array>;

/** What a start may use: it says with `load` what is to be there from the first request on. */
export interface EngineStart {
  readonly models: LoadedModels;
  readonly choice: ProviderChoice;
  /** @throws {SetlistError} INVALID_ARGUMENT where the model is not what its manifest says; nothing is left of it then. */
  load(stored: StoredModel): Promise<void>;
}

/** The workers, the models that they hold, and the scorer over both. */
export interface ModelEngine {
  readonly models: LoadedModels;
  readonly scorer: BatchingScorer;
  /**
   * Loads, checks and warms a model in every worker, away from the live path, and shows it then; from there on its files
   * are the engine's to close.
   * @throws {SetlistError} as `load`; whatever `warm` throws.
   */
  add(stored: StoredModel, warm: (score: ScoreAside) => Promise<void>): Promise<void>;
  /** Takes a withdrawn model out of every worker, and forgets it. */
  remove(loaded: LoadedModel): Promise<void>;
}

/** @throws whatever `start` throws, or keeps another worker from loading the same. */
export async function openEngine(
  options: EngineOptions,
  start: (engine: EngineStart) => Promise<void>,
): Promise<ModelEngine> {
  const { workers, batchRowsMax, queueRequestsMax, clock, onWarning = () => undefined } = options;
  const models = new LoadedModels();
  const executions = new ModelExecutions(onWarning);
  const choice = new ProviderChoice(
    {
      executionProviders: options.executionProviders ?? cpuAlone.executionProviders,
      perModel: options.perModel ?? cpuAlone.perModel,
    },
    onWarning,
  );
  // What a worker that replaces a dead one loads.
  const kept = new Map<number, StoredModel>();
  let placesGiven = 0;

  const loadInto = (worker: RemoteWorker, place: number, stored: StoredModel): Promise<void> =>
    loadModel(worker, place, stored, batchRowsMax, choice, executions, kept.has(place));
  const loadedAt = (place: number, { manifest, split }: StoredModel): LoadedModel => ({
    model: manifest.model,
    place,
    split: split !== undefined,
    inFlight: 0,
  });

  async function loadFirst(worker: RemoteWorker, stored: StoredModel): Promise<void> {
    const place = placesGiven++;
    try {
      await loadInto(worker, place, stored);
    } catch (error) {
      await worker.call({ kind: "unload", model: place }).catch(() => undefined);
      stored.close();
      throw error;
    }
    kept.set(place, stored);
    models.show(loadedAt(place, stored));
  }

  const dispatcher: { scorer?: BatchingScorer } = {};
  const pool = await WorkerPool.open({
    workers,
    spawn: options.spawn ?? spawners[options.isolation ?? "thread"],
    async prepare(worker, places) {
      if (places === undefined) {
        await start({ models, choice, load: (stored) => loadFirst(worker, stored) });
        return [...kept.keys()];
      }
      const loaded: number[] = [];
      for (const place of places) {
        const stored = kept.get(place);
        if (stored === undefined) continue;
        await loadInto(worker, place, stored);
        loaded.push(place);
      }
      return loaded;
    },
    onChange: () => dispatcher.scorer?.dispatch(),
    onDeath: options.onWorkerDeath,
    onWarning,
    onClosed: () => {
      for (const stored of kept.values()) stored.close();
    },
  });
  const backlog = new Backlog({ ...endlessWaits, ...definedWaits(options) }, workers);
  const reducedCandidates = options.reducedCandidates ?? Number.POSITIVE_INFINITY;
  const scorer = new BatchingScorer(pool, {
    models,
    executions,
    batchRowsMax,
    queueRequestsMax,
    queueDelayMaxUs: options.queueDelayMaxUs ?? 0,
    reducedCandidates,
    backlog,
    clock,
  });
  dispatcher.scorer = scorer;

  return {
    models,
    scorer,
    async add(stored, warm) {
      const place = placesGiven++;
      const loaded = loadedAt(place, stored);
      await pool.add(place, async (host) => {
        await loadInto(host.worker, place, stored);
        await warm((request) => scoreAside(host, loaded, request));
      });
      kept.set(place, stored);
      models.show(loaded);
    },
    async remove(loaded) {
      const stored = kept.get(loaded.place);
      kept.delete(loaded.place);
      await pool.remove(loaded.place);
      stored?.close();
      if (models.of(loaded.model) === loaded) executions.forget(loaded.model);
      models.forget(loaded);
    },
  };
}

function definedWaits({ queueWaitMaxMs, standingQueueWaitMaxMs }: EngineOptions): Partial<WaitLimits> {
  return {
    ...(queueWaitMaxMs !== undefined && { queueWaitMaxMs }),
    ...(standingQueueWaitMaxMs !== undefined && { standingQueueWaitMaxMs }),
  };
}

async function scoreAside(
  host: WorkerHost,
  loaded: LoadedModel,
  request: EncodedRequest,
): Promise<Float32Array> {
  try {
    const { order, transfer } = orderFor(loaded, host.filledOf(loaded), [request]);
    const reply = await host.worker.call(order, transfer);
    if (reply.kind === "scored") return reply.probabilities;
    throw new Error(reply.kind === "failed" ? reply.message : `unexpected answer "${reply.kind}"`);
  } finally {
    request.release();
  }
}
