import type { Clock } from "../domain/clock.ts";
import type { Model, ModelVersion } from "../domain/model.ts";
import type { ModelChange } from "../domain/model-life.ts";
import type { ScoreAside } from "./model-engine.ts";
import type { DemandSources } from "./version-demands.ts";

/** A version that nothing can be scored with at the moment. */
export interface ShelvedModel extends ModelVersion {
  readonly surface: string;
  readonly tasks: readonly string[];
  readonly loaded: false;
}

/** What others have to do with a model's life. */
export interface ModelHooks {
  /** Before a version is loaded, and before a label moves onto it. @throws {SetlistError} where it could not be used. */
  accept(model: Model): void;
  /** Scores what listeners asked for of late, so that the first who asks is not the first. @throws where that fails. */
  warm(model: Model, score: ScoreAside): Promise<void>;
  /** Whether something on its way to the scorer has found the version. */
  inUse(model: Model): boolean;
  /** The version left memory. */
  gone(model: Model): void;
}

export interface LibraryOptions extends DemandSources {
  /** A folder as docs/model-manifest.md describes it. */
  readonly repository: string;
  /** Between two looks at the whole repository, ms; 0 never looks again. */
  readonly repositoryPollMs: number;
  /** A folder that cannot be served and has stood still for so long is broken, not half-copied; ms. */
  readonly settleMs?: number | undefined;
  readonly clock: Clock;
  readonly hooks: ModelHooks;
  readonly onWarning?: ((warning: string) => void) | undefined;
  readonly onEvent?: ((event: ModelChange) => void) | undefined;
}
