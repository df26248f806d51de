/** Hive's name for a partition of rows without a value: DuckDB, pandas and Spark read it as NULL. */
const noDate = "__HIVE_DEFAULT_PARTITION__";

/**
 * The day of an instant, UTC, as `date=` of a path has it: `2026-11-22`. A listener's clock may say anything, and one
 * folder that is no date makes the whole column text; so what is outside the years 1 to 9999, which every reader's
 * dates have, goes without one. The instant itself stands in the row.
 */
export function partitionDate(at: number): string {
  return at >= firstDay && at < afterLastDay ? new Date(at).toISOString().slice(0, 10) : noDate;
}

const firstDay = Date.parse("0001-01-01T00:00:00.000Z");
const afterLastDay = Date.parse("+010000-01-01T00:00:00.000Z");
