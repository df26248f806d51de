import { setImmediate as nextTurn } from "node:timers/promises";
import { messageOf } from "../domain/error.ts";
import type { FeatureSpec, Features } from "../domain/feature.ts";
import type { EncodedRequest, FeatureStore, ItemTable, Tensor } from "../domain/feature-store.ts";
import type { IdBytes } from "../domain/id-bytes.ts";
import type { Model } from "../domain/model.ts";
import type { RankRequest } from "../domain/rank.ts";
import { allocateTensors, type EntityPlan, planEntity } from "./encoder-plan.ts";
import { KnownFeatures } from "./known-features.ts";
import type { RowSource, StoredEntity } from "./row-source.ts";
import type { RowTable } from "./row-table.ts";
import { override, writeContext, writeStored } from "./row-writing.ts";
import { ModelTable, SharedTables } from "./shared-tables.ts";
import { checkColumns } from "./store-columns.ts";

/** A feature store that can be told of the models before their first request. */
export interface PreparedFeatureStore extends FeatureStore {
  /**
   * Plans the encoding of each model, and lets requests bring every feature that one of them reads: a name that no
   * model of the surface reads is refused. Models that `encode` meets unprepared are prepared then.
   * @throws {SetlistError} INVALID_ARGUMENT where a column of the store cannot be what a model asks for.
   */
  prepare(models: readonly Model[]): void;
  /** Whether a request is being encoded for the model at this moment. */
  isEncoding(model: Model): boolean;
  /**
   * Gives back what is kept of a model that is not scored any more. Its features' names stay known: a caller that still
   * sends one that only this model read has done nothing wrong.
   */
  forget(model: Model): void;
}

interface ModelPlan {
  readonly user: StoredRows;
  readonly item: StoredRows;
  /** The items' rows as they are this model's alone: requests of two models are never one run. */
  readonly items: ItemTable;
  readonly context: EntityPlan;
  /** Requests that are being encoded. */
  encoding: number;
}

interface StoredRows {
  readonly entity: StoredEntity;
  readonly plan: EntityPlan;
  readonly table: RowTable;
  /** How messages name the features of the request's n-th row. */
  readonly field: (row: number) => string;
}

/** One slot for each of a request's rows, pinned. */
interface FoundRows {
  readonly slots: Int32Array;
  readonly defaultedCount: number;
  readonly storeUnavailable: boolean;
}

interface Row {
  readonly id: string;
  readonly features?: Features | undefined;
}

/** Rows by their place, such as an array of them. */
interface RowList {
  readonly length: number;
  at(place: number): Row | undefined;
}

/** Turns requests into tensors, over whichever source keeps the rows. */
export class RequestEncoder implements PreparedFeatureStore {
  readonly #source: RowSource;
  readonly #tables: SharedTables;
  readonly #onWarning: (warning: string) => void;
  readonly #known = new KnownFeatures();
  readonly #plans = new WeakMap<Model, ModelPlan>();
  readonly #warned = new Set<string>();
  #sourceFailing = false;

  constructor(source: RowSource, cacheRowsMax: number, onWarning: (warning: string) => void) {
    this.#source = source;
    this.#tables = new SharedTables(cacheRowsMax);
    this.#onWarning = onWarning;
  }

  prepare(models: readonly Model[]): void {
    for (const model of models) {
      for (const warning of checkColumns(model, this.#source)) this.#warnOnce(warning);
      this.#planOf(model);
    }
  }

  isEncoding(model: Model): boolean {
    return (this.#plans.get(model)?.encoding ?? 0) > 0;
  }

  forget(model: Model): void {
    this.#plans.delete(model);
  }

  async encode(model: Model, request: RankRequest): Promise<EncodedRequest> {
    const plan = this.#planOf(model);
    plan.encoding += 1;
    try {
      return await this.#encode(model, plan, request);
    } finally {
      plan.encoding -= 1;
    }
  }

  async #encode(model: Model, plan: ModelPlan, request: RankRequest): Promise<EncodedRequest> {
    this.#checkNames(model.surface, request);
    const tensors = allocateTensors(model);
    writeContext(plan.context, tensors, request.context.features);
    const user = await this.#findRows(model, plan.user, [request.user]);
    copyRow(plan.user, user.slots[0] as number, tensors);
    plan.user.table.release(user.slots);
    const { table } = plan.item;
    const item = await this.#findRows(model, plan.item, request.candidates, request.idBytes);
    return {
      candidateCount: request.candidates.length,
      tensors,
      table: plan.items,
      slots: item.slots,
      defaultedCount: user.defaultedCount + item.defaultedCount,
      storeUnavailable: user.storeUnavailable || item.storeUnavailable,
      release: () => table.release(item.slots),
    };
  }

  close(): Promise<void> {
    return this.#source.close();
  }

  #planOf(model: Model): ModelPlan {
    const known = this.#plans.get(model);
    if (known !== undefined) return known;
    const rows = (entity: StoredEntity, field: (row: number) => string): StoredRows => {
      const plan = planEntity(model, entity);
      return { entity, plan, table: this.#tables.of(entity, plan), field };
    };
    const item = rows("item", (row) => `candidates[${row}].features`);
    const plan = {
      user: rows("user", () => "user.features"),
      item,
      items: new ModelTable(item.table),
      context: planEntity(model, "context"),
      encoding: 0,
    };
    this.#known.add(model);
    this.#plans.set(model, plan);
    return plan;
  }

  #checkNames(surface: string, { user, context, candidates, idBytes }: RankRequest): void {
    this.#known.check(surface, "user", user.features, () => "user.features");
    this.#known.check(surface, "context", context.features, () => "context.features");
    if (idBytes !== undefined) return;
    for (let index = 0; index < candidates.length; index++) {
      const features = candidates.at(index)?.features;
      if (features === undefined) continue;
      this.#known.check(surface, "item", features, () => `candidates[${index}].features`);
    }
  }

  /** A pinned slot for each of `rows`: what is not in the table yet is read and written there. */
  async #findRows(
    model: Model,
    stored: StoredRows,
    rows: RowList,
    ids?: IdBytes | undefined,
  ): Promise<FoundRows> {
    const { plan, table, field } = stored;
    const slots = new Int32Array(rows.length);
    // A model that reads nothing of an entity has one row of it for all.
    if (plan.features.length === 0) return { slots: pinned(table, slots), ...noDefaults };
    const strangers: number[] = [];
    if (ids !== undefined) table.findAll(ids, slots);
    else for (let row = 0; row < rows.length; row++) slots[row] = table.find((rows.at(row) as Row).id);
    for (let row = 0; row < slots.length; row++) if ((slots[row] as number) < 0) strangers.push(row);
    try {
      const storeUnavailable =
        strangers.length > 0 && !(await this.#addRows(model, stored, rows, strangers, slots));
      let defaultedCount = 0;
      for (let row = 0; row < rows.length; row++) {
        const slot = slots[row] as number;
        // Candidates that came as bytes have no features, and are best left as they are.
        const features = ids === undefined ? rows.at(row)?.features : undefined;
        const defaulted = table.defaultedIn(slot);
        let defaults = defaulted.length;
        if (features !== undefined && !isEmpty(features)) {
          const own = table.copy(slot);
          slots[row] = own;
          table.release(Int32Array.of(slot));
          defaults = override(plan, table.tensors, own, features, defaulted, () => field(row));
        }
        if (defaults > 0) defaultedCount += 1;
      }
      return { slots, defaultedCount, storeUnavailable };
    } catch (error) {
      table.release(slots.filter((slot) => slot >= 0));
      throw error;
    }
  }

  /** Reads the rows of `strangers` from the source and writes them, defaults where it cannot be asked: false then. */
  async #addRows(
    model: Model,
    { entity, plan, table }: StoredRows,
    rows: RowList,
    strangers: readonly number[],
    slots: Int32Array,
  ): Promise<boolean> {
    const ids = strangers.map((row) => (rows.at(row) as Row).id);
    const stored = asksTheStore(plan) ? await this.#read(entity, ids) : [];
    const misfit = ({ name }: FeatureSpec, expected: string, id: string): void =>
      this.#warnOnce(
        `${model.name}/${model.version}: the store's ${entity} feature ${name} is not always ${expected}`,
        `first for ${JSON.stringify(id)}; the default is used there`,
      );
    for (const [index, row] of strangers.entries()) {
      // Encoding rows for the first time is the one long part: others get their turn in between.
      if (index > 0 && index % rowsPerTurn === 0) await nextTurn();
      const id = ids[index] as string;
      const slot = table.take();
      slots[row] = slot;
      table.note(slot, writeStored(plan, table.tensors, slot, id, stored?.[index], misfit));
      if (stored !== undefined) table.keep(id, slot);
    }
    return stored !== undefined;
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
          `the feature store cannot be read: ${messageOf(error)}; requests get defaults until it can`,
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

/** Most candidates bring `{}` at most: those share the row that is kept. */
function isEmpty(features: Features): boolean {
  for (const _ in features) return false;
  return true;
}

function copyRow({ plan, table }: StoredRows, slot: number, tensors: (Tensor | undefined)[]): void {
  for (const { place, columns } of plan.inputs) {
    const row = (table.tensors[place] as Tensor).subarray(slot * columns, (slot + 1) * columns);
    tensors[place]?.set(row);
  }
}

/** All rows are the same one, which has no columns. */
function pinned(table: RowTable, slots: Int32Array): Int32Array {
  for (let row = 0; row < slots.length; row++) slots[row] = table.take();
  return slots;
}

const noDefaults = { defaultedCount: 0, storeUnavailable: false };
