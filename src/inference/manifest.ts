import Type, { type Static } from "typebox";
import { invalidArgument, SetlistError } from "../domain/error.ts";
import type { Model } from "../domain/model.ts";
import { parserOf } from "../schema/schema.ts";
import { checkManifest } from "./manifest-rules.ts";

/** What a manifest says, checked whole: the model as the server knows it, and where its files are. */
export interface Manifest {
  readonly model: Model;
  readonly outputName: string;
  /** Plain file names inside the manifest's folder. */
  readonly file: string;
  readonly goldenFile: string | undefined;
  /** Lower-case hex digest that `file` must have. */
  readonly sha256: string;
}

const closed = { additionalProperties: false };
// No separator and no leading dot: a manifest cannot reach outside its folder.
const plainFileName = Type.String({ pattern: "^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$" });
const name = Type.String({ minLength: 1, maxLength: 128 });
const oneOf = <T extends string>(...names: T[]) => Type.Union(names.map((one) => Type.Literal(one)));
const shape = Type.Array(Type.Union([Type.String(), Type.Integer()]), { minItems: 1, maxItems: 2 });

/** docs/model-manifest.md as a schema; what a schema cannot say is in manifest-rules.ts. */
const manifestSchema = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    name: Type.String(),
    version: Type.String(),
    surface: name,
    description: Type.String(),
    file: plainFileName,
    sha256: Type.String({ pattern: "^[0-9a-f]{64}$" }),
    tasks: Type.Array(name, { minItems: 1 }),
    output: Type.Object({ name, dtype: oneOf("float32"), shape }, closed),
    inputs: Type.Array(
      Type.Object(
        {
          name,
          dtype: oneOf("float32", "int32"),
          shape,
          entity: oneOf("user", "item", "context", "row"),
        },
        closed,
      ),
      { minItems: 1 },
    ),
    features: Type.Array(
      Type.Object(
        {
          name,
          entity: oneOf("user", "item", "context"),
          input: Type.String(),
          offset: Type.Integer({ minimum: 0 }),
          width: Type.Integer({ minimum: 1 }),
          encoding: Type.Object(
            {
              kind: oneOf("number", "hash", "vocabulary"),
              // A hash's index, 1 to buckets, has to fit an int32.
              buckets: Type.Optional(Type.Integer({ minimum: 1, maximum: 2_147_483_646 })),
              values: Type.Optional(Type.Array(Type.String(), { minItems: 1 })),
            },
            closed,
          ),
          default: Type.Array(Type.Union([Type.Number(), Type.String()])),
        },
        closed,
      ),
    ),
    valueModel: Type.Object(
      {
        kind: oneOf("weighted-sum", "weighted-product"),
        weights: Type.Record(Type.String(), Type.Number(), { minProperties: 1 }),
      },
      closed,
    ),
    golden: Type.Optional(Type.Object({ file: plainFileName }, closed)),
    provenance: Type.Unknown(),
  },
  closed,
);

/** A manifest whose every field has the right type; nothing is known yet of how they fit together. */
export type ManifestDocument = Static<typeof manifestSchema>;

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
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalidArgument(`expected JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
