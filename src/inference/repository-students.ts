import { SetlistError } from "../domain/error.ts";
import type { ModelVersion } from "../domain/model.ts";
import { findVersions, readManifest } from "./repository.ts";

/** A student as its manifest describes it. */
export interface DescribedStudent extends ModelVersion {
  readonly surface: string;
  readonly tasks: readonly string[];
}

/**
 * Every student of a repository, without loading any: for whoever checks documents beside no server.
 * @throws {SetlistError} INVALID_ARGUMENT where it is no folder of models. A version that cannot be read is left out.
 */
export async function repositoryStudents(repository: string): Promise<readonly DescribedStudent[]> {
  const places = await findVersions(repository, () => undefined);
  const described = await Promise.all(
    places.map((place) =>
      readManifest(repository, place).catch((error: unknown) => {
        if (error instanceof SetlistError) return undefined;
        throw error;
      }),
    ),
  );
  return described.flatMap((one) => {
    if (one === undefined || one.manifest.model.role !== "student") return [];
    const { name, version, surface, tasks } = one.manifest.model;
    return [{ name, version, surface, tasks }];
  });
}
