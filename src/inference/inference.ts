import type { ModelRef, ModelRole } from "../domain/model.ts";
import type { Clock, Scorer } from "../domain/ports.ts";
import { BatchingScorer } from "./batching-scorer.ts";
import { ModelExecutions } from "./model-executions.ts";
import { loadModels } from "./model-load.ts";
import { cpuAlone, ProviderChoice, type ProviderSettings } from "./provider-choice.ts";
import { readRepository } from "./repository.ts";
import { WorkerPool } from "./worker-pool.ts";
import { type SpawnWorker, spawnInferenceWorker } from "./worker-thread.ts";

export interface ScorerOptions extends Partial<ProviderSettings> {
  /** A folder as docs/model-manifest.md describes it. */
  readonly repository: string;
  /** What to load; a reference without a version means the highest. Undefined loads every version of every model. */
  readonly models?: readonly ModelRef[] | undefined;
  /** Which models are loaded: those of the other role are passed over, and refused where `models` names them. */
  readonly role?: ModelRole | undefined;
  /** Threads that infer, each with one session a model. */
  readonly workers: number;
  /** Candidates of one run. A request with more goes alone. */
  readonly batchRowsMax: number;
  /** Requests that may wait while every worker is busy. */
  readonly queueRequestsMax: number;
  readonly clock: Clock;
  readonly onWarning?: ((warning: string) => void) | undefined;
  /** Another worker than ours that speaks the same messages: how tests let one die. */
  readonly spawn?: SpawnWorker | undefined;
}

/**
 * Loads the models, checks each against its manifest, checksum and golden example, and warms it up in every worker.
 * The scorer that it resolves with is ready to answer.
 * @throws {SetlistError} INVALID_ARGUMENT where a model is not what its manifest says: file, expected and found; where
 *   no configured provider can run here: field, the missing library, and the command that installs it.
 */
export async function openScorer(options: ScorerOptions): Promise<Scorer> {
  const { batchRowsMax, queueRequestsMax, clock, workers, onWarning = () => undefined } = options;
  const stored = await readRepository(
    options.repository,
    options.models,
    options.role ?? "student",
    onWarning,
  );
  const choice = new ProviderChoice(
    {
      executionProviders: options.executionProviders ?? cpuAlone.executionProviders,
      perModel: options.perModel ?? cpuAlone.perModel,
    },
    onWarning,
  );
  choice.checkNames(stored.map(({ manifest }) => manifest.model.name));
  const executions = new ModelExecutions(onWarning);
  const scorer: { current?: BatchingScorer } = {};
  const pool = await WorkerPool.open({
    workers,
    spawn: options.spawn ?? spawnInferenceWorker,
    prepare: (thread) => loadModels(thread, stored, batchRowsMax, choice, executions),
    onChange: () => scorer.current?.dispatch(),
    onWarning,
  });
  const models = stored.map((model) => model.manifest.model);
  const split = new Set(
    stored.filter((model) => model.split !== undefined).map((model) => model.manifest.model),
  );
  scorer.current = new BatchingScorer(pool, {
    models,
    executions,
    split,
    batchRowsMax,
    queueRequestsMax,
    clock,
  });
  return scorer.current;
}
