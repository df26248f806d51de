import { invalidArgument } from "../domain/error.ts";
import type { ModelRef, ModelVersion } from "../domain/model.ts";
import type { Scorer } from "../domain/scorer.ts";
import type { Surfaces } from "../domain/surface.ts";
import { nearest } from "../schema/schema.ts";

/** A student of the repository, loaded or not. */
interface Student extends ModelVersion {
  readonly surface: string;
}

/**
 * Every surface's model, and its shadow's, can serve it.
 * @param students all that the repository has.
 * @throws {SetlistError} INVALID_ARGUMENT with the field, what is missing and what there is.
 */
export function checkSurfaceModels(
  {
    surfaces,
    file,
    models,
  }: {
    readonly surfaces: Surfaces;
    /** The configuration's. */
    readonly file: string;
    /** The model repository. */
    readonly models: string;
  },
  scorer: Pick<Scorer, "resolve">,
  students: readonly Student[],
): void {
  for (const [surface, { defaultModel, shadow }] of surfaces) {
    for (const [field, ref] of Object.entries({ defaultModel, "shadow.model": shadow?.model })) {
      if (ref === undefined || scorer.resolve(ref)?.surface === surface) continue;
      throw invalidArgument(
        `${file}: surfaces.${surface}.${field}: ${whyNot(ref, surface, students)} (${models})`,
      );
    }
  }
}

function whyNot({ name, version, label }: ModelRef, surface: string, students: readonly Student[]): string {
  const names = [...new Set(students.filter((one) => one.surface === surface).map((one) => one.name))];
  const versions = students.filter((one) => one.name === name);
  const [first] = versions;
  if (first === undefined) return `no student ${JSON.stringify(name)}${nearest(name, names)}`;
  if (first.surface !== surface) return `${name} is a model of surface ${first.surface}`;
  const known = versions.map((one) => one.version).join(", ");
  if (version !== undefined) return `no version ${version} of ${name} (known: ${known})`;
  const what =
    label === undefined ? `no version of ${name} is` : `label ${label} of ${name} stands on none that is`;
  return `${what} loaded (known: ${known})`;
}
