/** Hive's name for a partition of rows without a value: DuckDB, pandas and Spark read it as NULL. */
const noDate = "__HIVE_DEFAULT_PARTITION__";

/**
 * The day of an instant, UTC, as `date=` of a path has it: `2026-11-22`. A listener's clock may say anything, and one
 * folder that is no date makes the whole column text; so what is outside the years 1 to 9999, which every reader's
 * dates have, goes without one. The instant itself stands in the row.
 */
export function partitionDate(at: number): string {
  if (!(at >= firstDay && at < afterLastDay)) return noDate;
  const day = Math.floor(at / dayMs);
  if (day !== last.day) last = { day, date: new Date(at).toISOString().slice(0, 10) };
  return last.date;
}

const dayMs = 86_400_000;
/** Nearly always it is the day of the record before. */
let last = { day: 0, date: "1970-01-01" };

const firstDay = Date.parse("0001-01-01T00:00:00.000Z");
const afterLastDay = Date.parse("+010000-01-01T00:00:00.000Z");
