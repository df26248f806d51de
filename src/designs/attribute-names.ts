/** The names under which a log has attributes, for whoever asks for one that it has not. */
import type { Dialect, ResultRow } from "../measurement/measurement.ts";
import { nearest } from "../schema/schema.ts";
import type { SegmentAttribute } from "./attribute-levels.ts";

/** Sets of names, the most frequent first: a log in which callers made up names has no end of them. */
const setsMax = 100;

/** `user_names, context_names` as lists in JSON, of requests that have not all of the attributes; no rows where all have. */
export function attributeNamesQuery(dialect: Dialect, attributes: readonly SegmentAttribute[]): string {
  const missing = attributes.flatMap((attribute) =>
    attribute.of === "activity"
      ? []
      : [`${dialect.mapValue(`${attribute.of}_attributes`, dialect.text(attribute.name))} IS NULL`],
  );
  const names = ["user", "context"].map(
    (of) => `CAST(to_json(map_keys(${of}_attributes)) AS STRING) AS ${of}_names`,
  );
  return `
    SELECT user_names, context_names FROM (
      SELECT user_names, context_names, count(*) AS requests
      FROM (SELECT ${names.join(", ")} FROM first_exposures
            WHERE arm IS NOT NULL AND (${["FALSE", ...missing].join(" OR ")})) named
      GROUP BY user_names, context_names) counted
    ORDER BY requests DESC, user_names, context_names LIMIT ${setsMax}`;
}

/** A sentence on an attribute that no unit has. */
export function notLogged(attribute: string, rows: readonly ResultRow[]): string {
  const names = (of: "user" | "context"): string[] =>
    rows.flatMap((row) =>
      (JSON.parse(String(row[`${of}_names`] ?? "[]")) as string[]).map((name) => `${of}.${name}`),
    );
  const known = [...new Set([...names("user"), ...names("context")])].sort();
  return `${attribute}: no unit's first request has it${nearest(attribute, known)}.`;
}
