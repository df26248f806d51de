import { invalidArgument, messageOf, SetlistError } from "../domain/error.ts";
import type { Model } from "../domain/model.ts";
import { parserOf } from "../schema/schema.ts";
import { checkManifest } from "./manifest-rules.ts";
import { type ManifestDocument, manifestSchema } from "./manifest-schema.ts";

/** What a manifest says, checked whole: the model as the server knows it, and where its files are. */
export interface Manifest {
  readonly model: Model;
  readonly outputName: string;
  /** Plain file names inside the manifest's folder. */
  readonly file: string;
  readonly goldenFile: string | undefined;
  /** The same model as an item graph and a request graph, where the recipe wrote them. */
  readonly split: ManifestDocument["split"];
  /** Lower-case hex digest that `file` must have. */
  readonly sha256: string;
}

const parseDocument = parserOf(manifestSchema);

/**
 * @param text the manifest's JSON; `path` names the file in messages; `folder` is what its place in the repository
 *   says it is.
 * @throws {SetlistError} INVALID_ARGUMENT: file, field, expected and found.
 */
export function parseManifest(
  text: string,
  path: string,
  folder: { readonly name: string; readonly version: string },
): Manifest {
  try {
    const document = parseDocument(parseJson(text), "manifest");
    return { ...filesOf(document), model: checkManifest(document, folder) };
  } catch (error) {
    if (!(error instanceof SetlistError)) throw error;
    throw invalidArgument(`${path}: ${error.message}`);
  }
}

function filesOf(document: ManifestDocument): Omit<Manifest, "model"> {
  return {
    outputName: document.output.name,
    file: document.file,
    goldenFile: document.golden?.file,
    sha256: document.sha256,
    split: document.split,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalidArgument(`expected JSON: ${messageOf(error)}`);
  }
}
