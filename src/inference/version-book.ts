import { SetlistError } from "../domain/error.ts";
import type { ModelRole, ModelVersion } from "../domain/model.ts";
import type { ModelState } from "../domain/model-life.ts";
import { keyOf } from "./loaded-models.ts";
import { compareVersions } from "./version-policy.ts";

/** What is known of one version, in the repository or in memory. */
export interface VersionRecord extends ModelVersion {
  state: ModelState;
  /** What it was refused for. */
  reason: string | undefined;
  /** Of its folder, when it was looked at last. */
  signature: string | undefined;
  /** Monotonic ms since when the folder has stood so. */
  unchangedSince: number;
  /** Undefined while its manifest cannot be read. */
  role: ModelRole | undefined;
  surface: string | undefined;
  tasks: readonly string[] | undefined;
}

/** Every version of every model that was seen, teachers among them. */
export class VersionBook {
  readonly #records = new Map<string, VersionRecord>();

  of({ name, version }: ModelVersion): VersionRecord {
    const key = keyOf({ name, version });
    let record = this.#records.get(key);
    if (record === undefined) {
      record = {
        name,
        version,
        state: "available",
        reason: undefined,
        signature: undefined,
        unchangedSince: 0,
        role: undefined,
        surface: undefined,
        tasks: undefined,
      };
      this.#records.set(key, record);
    }
    return record;
  }

  has(version: ModelVersion): boolean {
    return this.#records.has(keyOf(version));
  }

  /** @throws {SetlistError} NOT_FOUND where neither the repository nor the memory has it. */
  known(version: ModelVersion): VersionRecord {
    if (this.has(version)) return this.of(version);
    const versions = this.all().filter(({ name }) => name === version.name);
    const known =
      versions.length === 0 ? "no model of that name" : versions.map((one) => one.version).join(", ");
    throw new SetlistError("NOT_FOUND", `version: no ${keyOf(version)} in the repository (${known})`);
  }

  /** Forgets what is neither among `present` nor in memory. */
  keep(present: readonly ModelVersion[]): void {
    const keys = new Set(present.map(keyOf));
    for (const [key, { state }] of this.#records) {
      if (!keys.has(key) && (state === "available" || state === "refused")) this.#records.delete(key);
    }
  }

  /** By name, then from the lowest version. */
  all(): readonly VersionRecord[] {
    return [...this.#records.values()].sort(
      (one, other) =>
        (one.name < other.name ? -1 : Number(one.name > other.name)) ||
        compareVersions(one.version, other.version),
    );
  }
}
