import { setImmediate as nextTurn } from "node:timers/promises";
import type { FeatureSpec, Features } from "../domain/feature.ts";
import type { Model } from "../domain/model.ts";
import type { EncodedRequest, FeatureStore } from "../domain/ports.ts";
import type { RankRequest } from "../domain/rank.ts";
import { allocateTensors, type EntityPlan, planEntity } from "./encoder-plan.ts";
import { KnownFeatures } from "./known-features.ts";
import { RowCache } from "./row-cache.ts";
import type { RowSource, StoredEntity } from "./row-source.ts";
import { override, writeContext, writeStored } from "./row-writing.ts";
import { checkColumns } from "./store-columns.ts";
import type { Tensor } from "./value-encoding.ts";

/** A feature store that can be told of the models before their first request. */
export interface PreparedFeatureStore extends FeatureStore {
  /**
   * Plans the encoding of each model, and lets requests bring every feature that one of them reads: a name that no
   * model of the surface reads is refused. Models that `encode` meets unprepared are prepared then.
   * @throws {SetlistError} INVALID_ARGUMENT where a column of the store cannot be what a model asks for.
   */
  prepare(models: readonly Model[]): void;
}

interface ModelPlan {
  readonly user: CachedEntity;
  readonly item: CachedEntity;
  readonly context: EntityPlan;
}

interface CachedEntity {
  readonly plan: EntityPlan;
  readonly cache: RowCache;
}

interface Row {
  readonly id: string;
  readonly features?: Features | undefined;
}

/** Turns requests into tensors, over whichever source keeps the rows. */
export class RequestEncoder implements PreparedFeatureStore {
  readonly #source: RowSource;
  readonly #cacheRowsMax: number;
  readonly #onWarning: (warning: string) => void;
  readonly #known = new KnownFeatures();
  readonly #plans = new WeakMap<Model, ModelPlan>();
  readonly #warned = new Set<string>();
  #sourceFailing = false;

  constructor(source: RowSource, cacheRowsMax: number, onWarning: (warning: string) => void) {
    this.#source = source;
    this.#cacheRowsMax = cacheRowsMax;
    this.#onWarning = onWarning;
  }

  prepare(models: readonly Model[]): void {
    for (const model of models) {
      for (const warning of checkColumns(model, this.#source)) this.#warnOnce(warning);
      this.#planOf(model);
    }
  }

  async encode(model: Model, request: RankRequest): Promise<EncodedRequest> {
    const plan = this.#planOf(model);
    this.#checkNames(model.surface, request);
    const tensors = allocateTensors(model, request.candidates.length);
    writeContext(plan.context, tensors, request.context.features);
    const user = await this.#writeRows(model, "user", plan.user, tensors, [request.user]);
    const item = await this.#writeRows(model, "item", plan.item, tensors, request.candidates);
    return {
      candidateCount: request.candidates.length,
      tensors,
      defaultedCount: user.defaultedCount + item.defaultedCount,
      storeUnavailable: user.storeUnavailable || item.storeUnavailable,
    };
  }

  close(): Promise<void> {
    return this.#source.close();
  }

  #planOf(model: Model): ModelPlan {
    const known = this.#plans.get(model);
    if (known !== undefined) return known;
    const cached = (entity: StoredEntity): CachedEntity => {
      const plan = planEntity(model, entity);
      return { plan, cache: new RowCache(plan.inputs, this.#cacheRowsMax) };
    };
    const plan = { user: cached("user"), item: cached("item"), context: planEntity(model, "context") };
    this.#known.add(model);
    this.#plans.set(model, plan);
    return plan;
  }

  #checkNames(surface: string, { user, context, candidates }: RankRequest): void {
    this.#known.check(surface, "user", user.features, () => "user.features");
    this.#known.check(surface, "context", context.features, () => "context.features");
    for (let index = 0; index < candidates.length; index++) {
      const features = candidates[index]?.features;
      if (features === undefined) continue;
      this.#known.check(surface, "item", features, () => `candidates[${index}].features`);
    }
  }

  /** Writes one row of the entity's tensors for each of `rows`. */
  async #writeRows(
    model: Model,
    entity: StoredEntity,
    { plan, cache }: CachedEntity,
    tensors: readonly (Tensor | undefined)[],
    rows: readonly Row[],
  ): Promise<{ defaultedCount: number; storeUnavailable: boolean }> {
    if (plan.features.length === 0) return { defaultedCount: 0, storeUnavailable: false };
    let defaultedCount = 0;
    const strangers: number[] = [];
    for (let row = 0; row < rows.length; row++) {
      const { id, features } = rows[row] as Row;
      const defaulted = cache.copyTo(tensors, row, id);
      if (defaulted === undefined) strangers.push(row);
      else if (override(plan, entity, tensors, row, features, defaulted) > 0) defaultedCount += 1;
    }
    if (strangers.length === 0) return { defaultedCount, storeUnavailable: false };

    const ids = strangers.map((row) => (rows[row] as Row).id);
    const stored = asksTheStore(plan) ? await this.#read(entity, ids) : [];
    const misfit = ({ name }: FeatureSpec, expected: string, id: string): void =>
      this.#warnOnce(
        `${model.name}/${model.version}: the store's ${entity} feature ${name} is not always ${expected}`,
        `first for ${JSON.stringify(id)}; the default is used there`,
      );
    for (const [index, row] of strangers.entries()) {
      // Encoding rows for the first time is the one long part: others get their turn in between.
      if (index > 0 && index % rowsPerTurn === 0) await nextTurn();
      const { id, features } = rows[row] as Row;
      const defaulted = writeStored(plan, tensors, row, id, stored?.[index], misfit);
      if (stored !== undefined) cache.keep(tensors, row, id, defaulted);
      if (override(plan, entity, tensors, row, features, defaulted) > 0) defaultedCount += 1;
    }
    return { defaultedCount, storeUnavailable: stored === undefined };
  }

  /** Undefined where the source cannot be asked; said once, not with every request. */
  async #read(
    entity: StoredEntity,
    ids: readonly string[],
  ): Promise<readonly (Features | undefined)[] | undefined> {
    try {
      const rows = await this.#source.read(entity, ids);
      this.#sourceFailing = false;
      return rows;
    } catch (error) {
      if (!this.#sourceFailing) {
        this.#onWarning(
          `the feature store cannot be read: ${error instanceof Error ? error.message : error}; requests get defaults until it can`,
        );
      }
      this.#sourceFailing = true;
      return undefined;
    }
  }

  #warnOnce(warning: string, detail?: string): void {
    if (this.#warned.has(warning)) return;
    this.#warned.add(warning);
    this.#onWarning(detail === undefined ? warning : `${warning}, ${detail}`);
  }
}

/** Rows encoded for the first time between two turns of the event loop: about half a millisecond of work. */
const rowsPerTurn = 128;

function asksTheStore(plan: EntityPlan): boolean {
  return plan.features.some((feature) => feature.spec.name !== "id");
}
