import type { ModelRef, ModelRole } from "../domain/model.ts";
import type { ModelLibrary } from "../domain/model-life.ts";
import type { Scorer } from "../domain/scorer.ts";
import type { LibraryOptions, ShelvedModel } from "./library-options.ts";
import { type EngineOptions, openEngine } from "./model-engine.ts";
import { readRepository } from "./repository.ts";
import { ServedLibrary } from "./served-library.ts";

export interface ScorerOptions extends EngineOptions {
  /** A folder as docs/model-manifest.md describes it. */
  readonly repository: string;
  /** What to load; a reference without a version means the highest. Undefined loads every version of every model. */
  readonly models?: readonly ModelRef[] | undefined;
  /** Which models are loaded: those of the other role are passed over, and refused where `models` names them. */
  readonly role?: ModelRole | undefined;
}

/**
 * Loads the models, checks each against its manifest, checksum and golden example, and warms it up in every worker.
 * The scorer that it resolves with is ready to answer.
 * @throws {SetlistError} INVALID_ARGUMENT where a model is not what its manifest says: file, expected and found; where
 *   no configured provider can run here: field, the missing library, and the command that installs it.
 */
export async function openScorer(options: ScorerOptions): Promise<Scorer> {
  const { repository, models, role = "student", onWarning = () => undefined } = options;
  const { scorer } = await openEngine(options, async ({ choice, load }) => {
    const stored = await readRepository(repository, models, role, onWarning);
    choice.checkNames(stored.map(({ manifest }) => manifest.model.name));
    for (const one of stored) await load(one);
  });
  return scorer;
}

/** A scorer whose models come and go while it answers. */
export interface Models {
  readonly scorer: Scorer;
  readonly library: ModelLibrary;
  /** What stands in the repository and is not loaded: documents may name it all the same, and are loaded with it. */
  shelved(): readonly ShelvedModel[];
  /** Loads what is needed by now and can be; resolves once that was tried. */
  meetNeeds(): Promise<void>;
  /** Begins to follow the repository. */
  follow(): void;
  /** Stops following, then finishes what was accepted and ends the workers. */
  close(): Promise<void>;
}

/**
 * Loads what the policy and the needs ask for, as `openScorer` does. A version that cannot be served is refused, and
 * stops the start only where none of its model can take its place, or where something names it.
 * @throws {SetlistError} as `openScorer`.
 */
export async function openModels(options: EngineOptions & LibraryOptions): Promise<Models> {
  const library = new ServedLibrary(options);
  const engine = await openEngine(options, (start) => library.start(start));
  library.use(engine);
  return {
    scorer: engine.scorer,
    library,
    shelved: () => library.shelved(),
    meetNeeds: () => library.meetNeeds(),
    follow: () => library.follow(),
    async close() {
      await library.close();
      await engine.scorer.close();
    },
  };
}
