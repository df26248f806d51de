import Type from "typebox";
import { invalidArgument } from "../domain/error.ts";
import type { ExperimentDocument } from "../domain/experiment.ts";
import type { DeclaredAttributes } from "../domain/feature.ts";
import { nearest } from "../schema/schema.ts";

/** Strata are made of all their levels: with more attributes hardly any would have the units to stand alone. */
const attributesMax = 3;

export const stratifySchema = Type.Array(
  Type.String({
    pattern: "^(user|context)\\.[\\s\\S]{1,250}$",
    description: "an attribute such as user.country or context.device",
  }),
  { maxItems: attributesMax },
);

/** @throws {SetlistError} INVALID_ARGUMENT for an attribute that is named twice, or is not declared where any are. */
export function checkStratify(
  { stratify = [], kind }: ExperimentDocument,
  declared: DeclaredAttributes | undefined,
): void {
  if (stratify.length > 0 && kind === "interleave") {
    throw invalidArgument(
      "stratify: expected none with kind interleave, whose analysis has no arms to compare",
    );
  }
  for (const [index, attribute] of stratify.entries()) {
    const place = `stratify[${index}]`;
    if (stratify.indexOf(attribute) < index) {
      throw invalidArgument(`${place}: ${JSON.stringify(attribute)} is named twice`);
    }
    const known =
      declared &&
      (["user", "context"] as const).flatMap((of) =>
        Object.keys(declared[of]).map((name) => `${of}.${name}`),
      );
    if (known !== undefined && !known.includes(attribute)) {
      throw invalidArgument(
        `${place}: no attribute ${JSON.stringify(attribute)}${nearest(attribute, known)}`,
      );
    }
  }
}
