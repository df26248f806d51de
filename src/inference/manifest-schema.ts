import Type, { type Static } from "typebox";
import { valueModelSchema } from "../schema/value-model.ts";

const closed = { additionalProperties: false };
// No separator and no leading dot: a manifest cannot reach outside its folder.
const plainFileName = Type.String({ pattern: "^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$" });
const sha256 = Type.String({ pattern: "^[0-9a-f]{64}$" });
const splitFile = Type.Object({ file: plainFileName, sha256 }, closed);
const name = Type.String({ minLength: 1, maxLength: 128 });
const oneOf = <T extends string>(...names: T[]) => Type.Union(names.map((one) => Type.Literal(one)));
const shape = Type.Array(Type.Union([Type.String(), Type.Integer()]), { minItems: 1, maxItems: 2 });

/** A row of so many is 256 KiB, and memory is taken for a thousand of them at first. */
export const columnsMax = 65_536;

/** docs/model-manifest.md as a schema; what a schema cannot say is in manifest-rules.ts. */
export const manifestSchema = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    name: Type.String(),
    version: Type.String(),
    role: Type.Optional(oneOf("student", "teacher")),
    surface: name,
    description: Type.String(),
    file: plainFileName,
    sha256,
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
    valueModel: valueModelSchema,
    split: Type.Optional(
      Type.Object(
        { item: splitFile, request: splitFile, rowWidth: Type.Integer({ minimum: 1, maximum: columnsMax }) },
        closed,
      ),
    ),
    golden: Type.Optional(Type.Object({ file: plainFileName }, closed)),
    provenance: Type.Unknown(),
  },
  closed,
);

/** A manifest whose every field has the right type; nothing is known yet of how they fit together. */
export type ManifestDocument = Static<typeof manifestSchema>;
