import type { ModelRef, ModelVersion } from "./model.ts";

/**
 * `available`: in the repository, not asked for. `loading`: read, checked and warmed away from the live path. `serving`:
 * references find it. `retiring`: finishes the requests that had found it. `refused`: cannot be served, and why.
 */
export const modelStates = ["available", "loading", "serving", "retiring", "refused"] as const;
export type ModelState = (typeof modelStates)[number];

/** One version of a student in the repository, or still in memory. */
export interface ModelVersionStatus extends ModelVersion {
  readonly state: ModelState;
  /** Of a refusal, one sentence: file, expected and found. */
  readonly reason?: string | undefined;
  /** Those that stand on it. */
  readonly labels: readonly string[];
}

/** What became of a version just now, for logs and metrics. */
export interface ModelChange extends ModelVersion {
  readonly what: "serving" | "refused" | "retiring" | "gone";
  /** Of a refusal. */
  readonly reason?: string | undefined;
  /** What loading, checking and warming took, ms. */
  readonly durationMs?: number | undefined;
}

/** A name that stands on a version of a model, and may be moved to another. */
export interface ModelLabel {
  readonly name: string;
  readonly label: string;
  readonly version: string;
  /** Where it stood before; undefined where it never stood elsewhere. */
  readonly previous: string | undefined;
}

/** One move of a label: who made it, and when (ms since 1970, UTC). */
export interface ModelLabelMove extends ModelLabel {
  readonly who: string;
  readonly at: number;
}

/** Where labels are kept across restarts, with every move. */
export interface ModelLabelStore {
  /** Where each label stands. */
  list(): readonly ModelLabel[];
  /** The moves of one model's labels, oldest first. */
  history(name: string): readonly ModelLabelMove[];
  move(label: Omit<ModelLabel, "previous">, who: string): void;
}

/** A reference that has to find a loaded model, and who holds it: `experiment home-kd, arm control`. */
export interface ModelNeed {
  readonly ref: ModelRef;
  readonly by: string;
  /** A start goes on without it: whoever holds it sees to that. */
  readonly optional?: boolean | undefined;
}

/** The models' life at run time. */
export interface ModelLibrary {
  /** Every version of every student: by name, then from the lowest version. */
  versions(): readonly ModelVersionStatus[];
  labels(): readonly ModelLabel[];
  labelHistory(name: string): readonly ModelLabelMove[];
  /**
   * Loads a version that the policy leaves out, until it is unloaded or the server ends; one that serves already stays.
   * @throws {SetlistError} NOT_FOUND where the repository has no such version, INVALID_ARGUMENT where it cannot be served.
   */
  load(version: ModelVersion): Promise<void>;
  /**
   * No new request finds the version; it leaves memory once the last that had found it is answered. It is not loaded
   * again by itself while the server runs.
   * @throws {SetlistError} NOT_FOUND where it is not loaded; ABORTED where an experiment, a surface or a label needs it.
   */
  unload(version: ModelVersion): Promise<void>;
  /**
   * @throws {SetlistError} NOT_FOUND where the repository has no such version; ABORTED where it is not loaded;
   *   INVALID_ARGUMENT where the label is none, or whoever names it could not be served by that version.
   */
  moveLabel(label: Omit<ModelLabel, "previous">, who: string): Promise<void>;
}
