import { join } from "node:path";
import type { Clock } from "../domain/clock.ts";
import type { ModelVersion } from "../domain/model.ts";
import { folderSignature } from "./folder-signature.ts";
import { keyOf } from "./loaded-models.ts";
import { findVersions, readManifest, readModel, type StoredModel } from "./repository.ts";
import type { VersionBook, VersionRecord } from "./version-book.ts";

export interface SurveyOptions {
  readonly repository: string;
  readonly clock: Clock;
  readonly onWarning: (warning: string) => void;
}

/** Brings the book up to what is in the repository; the versions found there. */
export async function surveyRepository(
  book: VersionBook,
  { repository, clock, onWarning }: SurveyOptions,
): Promise<readonly ModelVersion[]> {
  const present = await findVersions(repository, onWarning);
  book.keep(present);
  const keys = new Set(present.map(keyOf));
  for (const record of book.all()) {
    // What is gone is no candidate of the policy any more; whoever names it is served on.
    if (!keys.has(keyOf(record))) record.signature = undefined;
  }
  const signatures = await Promise.all(
    present.map(({ name, version }) => folderSignature(join(repository, name, version))),
  );
  for (const [index, version] of present.entries()) {
    const signature = signatures[index];
    const record = book.of(version);
    if (record.signature === signature) continue;
    if (record.state === "serving" && record.signature !== undefined) {
      onWarning(
        `${join(repository, version.name, version.version)} changed after it was loaded: what was loaded serves on, and a change belongs into a version of its own`,
      );
    }
    record.signature = signature;
    record.unchangedSince = clock.monotonic();
    if (record.state === "refused") record.state = "available";
    record.reason = undefined;
    try {
      await describe(repository, record);
    } catch {
      // Whoever wants the version reads it again, and says what is wrong.
      record.role = undefined;
    }
  }
  return present;
}

/**
 * The version's model; undefined for a teacher.
 * @throws {SetlistError} as `readManifest` and `readModel` say.
 */
export async function readStudent(
  repository: string,
  record: VersionRecord,
): Promise<StoredModel | undefined> {
  const described = await describe(repository, record);
  return record.role === "student" ? readModel(described) : undefined;
}

async function describe(repository: string, record: VersionRecord) {
  const described = await readManifest(repository, record);
  const { role, surface, tasks } = described.manifest.model;
  Object.assign(record, { role, surface, tasks });
  return described;
}
