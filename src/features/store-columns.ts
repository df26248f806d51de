import { invalidArgument } from "../domain/error.ts";
import type { FeatureSpec } from "../domain/feature.ts";
import type { Model } from "../domain/model.ts";
import type { RowSource } from "./row-source.ts";

/**
 * Compares what a model asks the store for with the columns that it has. A column that is missing is a warning (the
 * requests may bring the feature); one of the wrong kind can only be a mistake.
 * @throws {SetlistError} INVALID_ARGUMENT naming model, feature and column.
 */
export function checkColumns(model: Model, source: RowSource): readonly string[] {
  const warnings: string[] = [];
  for (const spec of model.features) {
    if (spec.entity === "context" || spec.name === "id") continue;
    const columns = source.columns(spec.entity);
    const kind = columns?.get(spec.name);
    if (columns !== undefined && kind === undefined) warnings.push(missing(model, spec));
    const asked = spec.encoding.kind === "number" ? "number" : "string";
    if (kind !== undefined && kind !== asked) {
      throw invalidArgument(
        `model ${model.name}/${model.version}: expected a column of ${asked}s for the ${spec.entity} feature ${spec.name}, found ${kind}s in the feature store`,
      );
    }
  }
  return warnings;
}

function missing(model: Model, spec: FeatureSpec): string {
  return `model ${model.name}/${model.version}: the feature store has no column for the ${spec.entity} feature ${spec.name}; it is a default wherever a request does not bring it`;
}
