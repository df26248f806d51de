import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "../domain/error.ts";
import type { ModelVersion } from "../domain/model.ts";
import type { ModelChange } from "../domain/model-life.ts";
import type { LibraryOptions } from "./library-options.ts";
import type { LoadedModels } from "./loaded-models.ts";
import type { ModelEngine } from "./model-engine.ts";
import type { StoredModel } from "./repository.ts";
import { readStudent } from "./repository-survey.ts";
import type { VersionBook, VersionRecord } from "./version-book.ts";

const settleMsDefault = 2_000;
/** Between two looks whether a withdrawn version is still in use, ms; a request takes a few. */
const retireStepMs = 20;

/** Brings versions into service and takes them out of it, notes in the book what became of each, and tells. */
export class VersionLife {
  readonly #options: LibraryOptions;
  readonly #book: VersionBook;
  readonly #closing: AbortSignal;
  readonly #retiring = new Set<Promise<void>>();
  readonly #models: LoadedModels;
  #engine: ModelEngine | undefined;

  /** @param closing aborted where no version comes to serve any more. */
  constructor(options: LibraryOptions, book: VersionBook, models: LoadedModels, closing: AbortSignal) {
    this.#options = options;
    this.#book = book;
    this.#models = models;
    this.#closing = closing;
  }

  /** From here on versions come and go; until then they are loaded by `begin`. */
  use(engine: ModelEngine): void {
    this.#engine = engine;
  }

  isServing({ name, version }: ModelVersion): boolean {
    return this.#models.resolve({ name, version }) !== undefined;
  }

  /** The versions of a model, from the lowest. */
  servingOf(name: string): readonly string[] {
    return this.#models
      .all()
      .filter((model) => model.name === name)
      .map(({ version }) => version);
  }

  /** At the server's start, before anybody is answered. Resolves with why the version is refused, if it is. */
  async begin(record: VersionRecord, load: (stored: StoredModel) => Promise<void>): Promise<unknown> {
    const began = this.#options.clock.monotonic();
    try {
      const stored = await readStudent(this.#options.repository, record);
      if (stored === undefined) return undefined;
      await load(stored);
      this.#serving(record, began);
      return undefined;
    } catch (error) {
      this.#refuse(record, error);
      return error;
    }
  }

  /**
   * Serves a version if it can be.
   * @param atOnce refuses a folder that is not whole; else it resolves with true, where that may change soon.
   */
  async serve(record: VersionRecord, atOnce: boolean): Promise<boolean> {
    if (this.isServing(record) || record.state === "refused" || this.#engine === undefined) return false;
    if (this.#closing.aborted) return false;
    const { clock, settleMs = settleMsDefault, hooks } = this.#options;
    const began = clock.monotonic();
    let stored: StoredModel | undefined;
    try {
      stored = await readStudent(this.#options.repository, record);
    } catch (error) {
      if (!atOnce && clock.monotonic() - record.unchangedSince < settleMs) return true;
      this.#refuse(record, error);
      return false;
    }
    if (stored === undefined) return false;
    const { model } = stored.manifest;
    record.state = "loading";
    try {
      hooks.accept(model);
      await this.#engine.add(stored, (score) => hooks.warm(model, score));
      this.#serving(record, began);
    } catch (error) {
      stored.close();
      hooks.gone(model);
      record.state = "available";
      if (!this.#closing.aborted) this.#refuse(record, error);
    }
    return false;
  }

  /** No new request finds it; it leaves memory once the last that had found it is answered. */
  retire(version: ModelVersion): void {
    const loaded = this.#engine?.models.of(version);
    if (loaded === undefined || this.#engine === undefined) return;
    const { hooks } = this.#options;
    this.#engine.models.withdraw(version);
    const record = this.#book.of(version);
    record.state = "retiring";
    this.#tell({ ...version, what: "retiring" });
    const leave = async (engine: ModelEngine): Promise<void> => {
      do await delay(retireStepMs);
      while (loaded.inFlight > 0 || hooks.inUse(loaded.model));
      await engine.remove(loaded);
      hooks.gone(loaded.model);
      if (record.state === "retiring") record.state = "available";
      this.#tell({ ...version, what: "gone" });
    };
    const leaving = leave(this.#engine).finally(() => this.#retiring.delete(leaving));
    this.#retiring.add(leaving);
  }

  /** Resolves once all that were retired are gone. */
  async retired(): Promise<void> {
    await Promise.all(this.#retiring);
  }

  #serving(record: VersionRecord, began: number): void {
    record.state = "serving";
    record.reason = undefined;
    const { name, version } = record;
    this.#tell({ name, version, what: "serving", durationMs: this.#options.clock.monotonic() - began });
  }

  #refuse(record: VersionRecord, error: unknown): void {
    record.state = "refused";
    record.reason = messageOf(error);
    const { name, version, reason } = record;
    this.#tell({ name, version, what: "refused", reason });
  }

  #tell(change: ModelChange): void {
    this.#options.onEvent?.(change);
  }
}
