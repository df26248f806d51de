import { join } from "node:path";
import { invalidArgument, messageOf, SetlistError } from "../domain/error.ts";
import type { ModelVersion } from "../domain/model.ts";
import type { ModelLabel, ModelLabelMove, ModelLibrary, ModelVersionStatus } from "../domain/model-life.ts";
import type { LibraryOptions, ShelvedModel } from "./library-options.ts";
import { keyOf, type LoadedModels } from "./loaded-models.ts";
import type { EngineStart, ModelEngine } from "./model-engine.ts";
import type { StoredModel } from "./repository.ts";
import { surveyRepository } from "./repository-survey.ts";
import { type RepositoryWatch, watchRepository } from "./repository-watch.ts";
import { VersionBook, type VersionRecord } from "./version-book.ts";
import { VersionDemands } from "./version-demands.ts";
import { VersionLife } from "./version-life.ts";
import type { wantedVersions } from "./version-policy.ts";

/** Between two looks at a folder that may be half-copied, ms. */
const lookAgainMs = 250;

/** Which versions are served: by the policy, by need and by command, one change after the other. */
export class ServedLibrary implements ModelLibrary {
  readonly #options: LibraryOptions;
  readonly #book = new VersionBook();
  readonly #closing = new AbortController();
  readonly #warned = new Set<string>();
  readonly #demands: VersionDemands;
  #models: LoadedModels | undefined;
  #life: VersionLife | undefined;
  #watch: RepositoryWatch | undefined;
  #again: NodeJS.Timeout | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #looking: Promise<void> | undefined;

  constructor(options: LibraryOptions) {
    this.#options = options;
    this.#demands = new VersionDemands(options);
  }

  /** @throws {SetlistError} as `openModels` says. */
  async start({ models, choice, load }: EngineStart): Promise<void> {
    this.#models = models;
    this.#life = new VersionLife(this.#options, this.#book, models, this.#closing.signal);
    const { repository, labels } = this.#options;
    const present = await this.#look();
    const students = this.#book.all().filter(({ role }) => role !== "teacher");
    if (students.length === 0) {
      throw invalidArgument(
        `${repository}: expected at least one model, <name>/<version>/manifest.json, found ${present.length === 0 ? "none" : "teachers alone"}`,
      );
    }
    const names = [...new Set(students.map(({ name }) => name))];
    choice.checkNames(names);
    for (const { name, label, version } of labels.list()) models.setLabel(name, label, version);
    for (const name of names) await this.#startModel(name, load);
    this.#setFirstLabels();
  }

  /** A label that something names and that was never set: nobody could have set it before the first start. */
  #setFirstLabels(): void {
    const { needs, labels, onWarning } = this.#options;
    for (const { ref, by } of needs()) {
      const { name, label } = ref;
      const highest = this.#versions.servingOf(name).at(-1);
      if (label === undefined || highest === undefined) continue;
      if (labels.list().some((one) => one.name === name && one.label === label)) continue;
      this.#place({ name, label, version: highest }, "first start");
      onWarning?.(
        `label ${label} of ${name}, which ${by} names, was never set: it stands on version ${highest} now, the highest`,
      );
    }
  }

  /** @throws why a version cannot be served that something names, or none of the model at all. */
  async #startModel(name: string, load: (stored: StoredModel) => Promise<void>): Promise<void> {
    const life = this.#versions;
    const failures = new Map<string, unknown>();
    await this.#serveWanted(name, async (record) => {
      if (life.isServing(record) || failures.has(record.version)) return;
      const error = await life.begin(record, load);
      if (error !== undefined) failures.set(record.version, error);
    });
    // A version that is named and absent is for whoever names it to be told.
    const named = this.#demands.required(name).find((version) => failures.has(version));
    const isServed = this.#versions.servingOf(name).length > 0;
    const [failed] = named === undefined && !isServed ? failures.keys() : [named];
    if (failed === undefined) return;
    const error = failures.get(failed);
    throw error instanceof SetlistError
      ? error
      : new SetlistError("INTERNAL", messageOf(error), { cause: error });
  }

  /**
   * Has every version served that something names or keeps, and of the others as many as the policy says, each one that
   * cannot be giving its place to the next. Returns those that serve then.
   */
  async #serveWanted(
    name: string,
    serve: (record: VersionRecord) => Promise<void>,
  ): Promise<ReadonlySet<string>> {
    const serving = new Set<string>();
    const tried = async (version: string): Promise<boolean> => {
      if (!this.#book.has({ name, version })) return false;
      await serve(this.#book.of({ name, version }));
      if (!this.#versions.isServing({ name, version })) return false;
      serving.add(version);
      return true;
    };
    for (const version of [...this.#demands.named(name), ...this.#demands.kept(name)]) await tried(version);
    const { candidates, count } = this.#wanted(name);
    let served = 0;
    for (const version of candidates) {
      if (served === count) break;
      if (await tried(version)) served += 1;
    }
    return serving;
  }

  /** From here on versions come and go. */
  use(engine: ModelEngine): void {
    this.#versions.use(engine);
  }

  follow(): void {
    const { repositoryPollMs } = this.#options;
    if (repositoryPollMs === 0) return;
    this.#watch = watchRepository(repositoryPollMs, () => void this.#lookAgain());
    void this.#lookAgain();
  }

  meetNeeds(): Promise<void> {
    return this.#lookAgain();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#watch?.close();
    clearTimeout(this.#again);
    await this.#queue;
    await this.#life?.retired();
  }

  versions(): readonly ModelVersionStatus[] {
    const labels = this.#options.labels.list();
    return (
      this.#book
        .all()
        // Until it is whole, or has stood still, nothing is said about a folder that cannot be read.
        .filter(({ role, state }) => role === "student" || (role === undefined && state === "refused"))
        .map(({ name, version, state, reason }) => ({
          name,
          version,
          state,
          ...(reason === undefined ? {} : { reason }),
          labels: labels
            .filter((label) => label.name === name && label.version === version)
            .map(({ label }) => label),
        }))
    );
  }

  /** What stands in the repository and is not loaded, as far as its manifest says what it is. */
  shelved(): readonly ShelvedModel[] {
    return this.#book
      .all()
      .flatMap(({ name, version, surface, tasks, role, state }) =>
        role === "student" && state !== "serving" && surface !== undefined && tasks !== undefined
          ? [{ name, version, surface, tasks, loaded: false as const }]
          : [],
      );
  }

  labels(): readonly ModelLabel[] {
    return this.#options.labels.list();
  }

  labelHistory(name: string): readonly ModelLabelMove[] {
    return this.#options.labels.history(name);
  }

  load(version: ModelVersion): Promise<void> {
    return this.#inTurn(async () => {
      await this.#look();
      const record = this.#book.known(version);
      if (this.#versions.isServing(version)) return;
      if (record.state === "refused") record.state = "available";
      await this.#versions.serve(record, true);
      if (!this.#versions.isServing(version))
        throw invalidArgument(record.reason ?? `${keyOf(version)} is no student`);
      this.#demands.command(version, true);
      await this.#reconcile(version.name);
    });
  }

  unload(version: ModelVersion): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#versions.isServing(version)) {
        const loaded = this.#versions.servingOf(version.name).join(", ");
        const known = loaded === "" ? "none of that name is" : `of ${version.name}: ${loaded}`;
        throw new SetlistError("NOT_FOUND", `version: ${keyOf(version)} is not loaded (${known})`);
      }
      const key = keyOf(version);
      const holder = this.#demands.holderOf(version);
      if (holder !== undefined) {
        throw new SetlistError("ABORTED", `version: ${holder.by} needs ${key}: ${holder.instead}`);
      }
      const takeBack = this.#demands.command(version, false);
      // Whatever takes its place has to serve first.
      await this.#reconcile(version.name);
      if (!this.#versions.isServing(version)) return;
      const need = this.#options.needs().find(({ ref }) => ref.name === version.name);
      if (need === undefined) return this.#versions.retire(version);
      takeBack();
      throw new SetlistError(
        "ABORTED",
        `version: ${key} is the only version of ${version.name} that is loaded, and ${need.by} needs one: load another first`,
      );
    });
  }

  moveLabel(label: Omit<ModelLabel, "previous">, who: string): Promise<void> {
    return this.#inTurn(async () => {
      if (!labelName.test(label.label)) {
        throw invalidArgument(
          `label: expected 1 to 64 of A-Z a-z 0-9 . _ -, beginning with a letter or digit, got ${JSON.stringify(label.label)}`,
        );
      }
      const model = this.#models?.resolve({ name: label.name, version: label.version });
      if (model === undefined) {
        this.#book.known(label);
        const loaded = this.#versions.servingOf(label.name).join(", ");
        throw new SetlistError(
          "ABORTED",
          `version: ${keyOf(label)} is not loaded (loaded: ${loaded === "" ? "none" : loaded}), and a label stands on loaded versions only: load it first`,
        );
      }
      this.#options.hooks.accept(model);
      this.#place(label, who);
      await this.#reconcile(label.name);
    });
  }

  #place(label: Omit<ModelLabel, "previous">, who: string): void {
    this.#options.labels.move(label, who);
    this.#models?.setLabel(label.name, label.label, label.version);
  }

  /** One change after the other: two that load at once would each think that it is alone on the machine. */
  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#queue.then(() => {
      if (this.#closing.signal.aborted) throw new SetlistError("UNAVAILABLE", "the server is stopping");
      return work();
    });
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  /** However many changes were seen meanwhile, one look is enough. */
  #lookAgain(): Promise<void> {
    this.#looking ??= this.#inTurn(async () => {
      this.#looking = undefined;
      const present = await this.#look();
      const names = new Set(this.#book.all().map(({ name }) => name));
      for (const name of names) {
        if (this.#closing.signal.aborted) return;
        await this.#reconcile(name);
      }
      const { repository } = this.#options;
      this.#watch?.follow([repository, ...new Set(present.map(({ name }) => join(repository, name)))]);
    }).catch((error: unknown) => {
      if (!this.#closing.signal.aborted) this.#warnOnce(messageOf(error));
    });
    return this.#looking;
  }

  /** Notes what is in the repository. */
  #look(): Promise<readonly ModelVersion[]> {
    const { repository, clock } = this.#options;
    return surveyRepository(this.#book, {
      repository,
      clock,
      onWarning: (warning) => this.#warnOnce(warning),
    });
  }

  /** Loads what is wanted of one model, then withdraws what is not any more. */
  async #reconcile(name: string): Promise<void> {
    const wanted = await this.#serveWanted(name, async (record) => {
      if (await this.#versions.serve(record, false)) this.#lookSoon();
    });
    // Nothing that serves is withdrawn before something else does.
    if (wanted.size === 0) return;
    for (const version of this.#versions.servingOf(name)) {
      if (!wanted.has(version)) this.#versions.retire({ name, version });
    }
  }

  #lookSoon(): void {
    this.#again ??= setTimeout(() => {
      this.#again = undefined;
      void this.#lookAgain();
    }, lookAgainMs).unref();
  }

  get #versions(): VersionLife {
    if (this.#life === undefined) throw new Error("the library has not started yet");
    return this.#life;
  }

  /** By the policy, of what the repository has. */
  #wanted(name: string): ReturnType<typeof wantedVersions> {
    const there = this.#book
      .all()
      .filter((record) => record.name === name && record.role !== "teacher")
      .filter((record) => record.signature !== undefined)
      .map(({ version }) => version);
    return this.#demands.byPolicy(name, there);
  }

  #warnOnce(warning: string): void {
    if (this.#warned.has(warning)) return;
    this.#warned.add(warning);
    this.#options.onWarning?.(warning);
  }
}

const labelName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
