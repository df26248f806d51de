/** A log as the warehouse has it, of any size, made by DuckDB in the layout of docs/outcome-log-format.md: one experiment. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { literal, withDatabase } from "../src/columnar/columnar.ts";

export interface MadeLog {
  readonly impressions: readonly string[];
  readonly outcomes: readonly string[];
  readonly missingBefore: undefined;
}

/** Of each segment. */
const impressionsOfSegment = 200_000;

/** Of each impression, and of each unit. */
const outcomesOfImpression = 5;
const impressionsOfUnit = 20;

/** Items an impression; tracks that there are. */
const itemsOfImpression = 10;
const tracks = 5_000;

/** A text as long as a UUID, the same for the same number. */
const uuid = (number: string): string =>
  `substr(md5(${number}), 1, 8) || '-' || substr(md5(${number}), 9, 4) || '-7' || substr(md5(${number}), 14, 3) || '-' ||
   substr(md5(${number}), 17, 4) || '-' || substr(md5(${number}), 21, 12)`;

/**
 * Writes `outcomes` outcomes over a fifth as many impressions below `folder`: half and half `control` and `kd` of phase 1
 * of `home-kd`; of five outcomes two `play` with the seconds as value, one `completion`, one `like` and one `skip`; one in
 * a thousand comes again, one in a thousand answers an unknown request, one in a hundred comes a month late.
 */
export async function makeLog(folder: string, outcomes: number): Promise<MadeLog> {
  const impressions = Math.ceil(outcomes / outcomesOfImpression);
  const units = Math.ceil(impressions / impressionsOfUnit);
  const files: { impressions: string[]; outcomes: string[] } = { impressions: [], outcomes: [] };
  for (const table of ["impressions", "outcomes"] as const) {
    await mkdir(join(folder, table, "date=2026-11-22"), { recursive: true });
  }
  await withDatabase({ overflow: join(folder, "overflow") }, async (database) => {
    for (let first = 0; first < impressions; first += impressionsOfSegment) {
      const end = Math.min(impressions, first + impressionsOfSegment);
      const name = `${String(first / impressionsOfSegment + 1).padStart(10, "0")}.parquet`;
      const write = async (table: keyof typeof files, query: string): Promise<void> => {
        const path = join(folder, table, "date=2026-11-22", name);
        await database.run(`COPY (${query}) TO ${literal(path)} (FORMAT parquet, COMPRESSION zstd)`);
        files[table].push(path);
      };
      await write("impressions", impressionRows(first, end, units));
      await write("outcomes", outcomeRows(first * outcomesOfImpression, end * outcomesOfImpression));
    }
  });
  return { ...files, missingBefore: undefined };
}

const noon = "TIMESTAMP '2026-11-22 12:00:00'";

function impressionRows(first: number, end: number, units: number): string {
  return `
    SELECT ${uuid("'r' || i")} AS request, ${noon} + to_milliseconds(i) AS "at", 'home' AS surface, unit AS "user",
           'home-' || arm AS model, '1' AS model_version,
           [struct_pack(experiment := 'home-kd', arm := arm, layer := 'home-ranker', phase := 1::INTEGER, unit := unit,
                        propensity := 0.5::DOUBLE, overridden := false)] AS assignments,
           []::VARCHAR[] AS degraded, ${itemsOfImpression} AS candidate_count,
           NULL::VARCHAR AS user_features, NULL::VARCHAR AS context_features,
           list_transform(range(${itemsOfImpression}), lambda p: struct_pack(id := 't' || ${trackAt("i", "p")},
             "position" := (p + 1)::INTEGER, score := 1 / (1 + p + (i % 97) / 100), features := NULL::VARCHAR)) AS items
    FROM (SELECT i, 'u' || (hash(i) % ${units}) AS unit,
                 CASE WHEN hash('arm' || (hash(i) % ${units})) % 2 = 0 THEN 'control' ELSE 'kd' END AS arm
          FROM range(${first}, ${end}) t(i))`;
}

/** Different ones at the places of one impression. */
const trackAt = (impression: string, place: string): string =>
  `((hash(${impression}) % ${tracks} + ${place} * 499) % ${tracks})`;

function outcomeRows(first: number, end: number): string {
  const id = (number: string): string =>
    uuid(`'o' || CASE WHEN ${number} % 1000 = 999 THEN ${number} - 1 ELSE ${number} END`);
  return `
    SELECT ${id("o")} AS outcome, CASE WHEN o % 1000 = 500 THEN 'gone-' || o ELSE ${uuid("'r' || i")} END AS request,
           't' || ${trackAt("i", "(o * 3 % 10)")} AS item,
           ['play', 'completion', 'like', 'skip', 'play'][o % 5 + 1] AS type,
           CASE WHEN o % 5 IN (0, 4) THEN round(hash(o) % 300000 / 1000, 3) ELSE 1 END::DOUBLE AS value,
           ${noon} + to_milliseconds(i + 30000) + to_days(CASE WHEN o % 100 = 7 THEN 30 ELSE 0 END) AS occurred_at
    FROM (SELECT o, o // ${outcomesOfImpression} AS i FROM range(${first}, ${end}) t(o))`;
}
