/** A log as the warehouse has it, of any size, made by DuckDB in the layout of docs/outcome-log-format.md: one experiment. */
import { mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { partitionDate, withDatabase, writePartitions } from "../src/columnar/columnar.ts";

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
const tracks = 50_000;

const dayMs = 86_400_000;
const began = Date.parse("2026-11-01T00:00:00.000Z");
/** Of the log; the experiment begins in the middle. */
const days = 28;
/** A late outcome answers what was shown so long before. */
const lateDays = 7.5;

/** Stands in the folder once the log in it is whole. */
const whole = "whole.json";

/** The log that an earlier run left in the folder, whole and of this size; made where there is none. */
export async function madeLog(folder: string, outcomes: number): Promise<MadeLog> {
  const standing = await standingLog(join(folder, String(outcomes)));
  return standing ?? makeLog(join(folder, String(outcomes)), outcomes);
}

async function standingLog(folder: string): Promise<MadeLog | undefined> {
  const below = await readdir(folder, { recursive: true }).catch((): string[] => []);
  if (!below.some((path) => path === whole)) return undefined;
  const of = (table: string): string[] =>
    below
      .filter((path) => path.startsWith(`${table}/`) && path.endsWith(".parquet"))
      .sort()
      .map((path) => join(folder, path));
  return { impressions: of("impressions"), outcomes: of("outcomes"), missingBefore: undefined };
}

/**
 * Writes `outcomes` outcomes over a fifth as many impressions below `folder`, half of them before the experiment `home-kd`
 * began, the others half and half `control` and `kd` of its phase 1; each impression has another experiment's arm too. Of
 * five outcomes two are `play` with the seconds as value, one `completion`, one `like` and one `skip`. One in 20 a user did
 * without a list; one in 100 is late; one in 1,000 comes again, answers an unknown request, or an item that was not shown.
 * Of the impressions one in 1,000 has the request id of another, one in 200 was answered without its model; of the units
 * one in 1,000 was forced into its arm, one in 2,000 is seen in both.
 */
async function makeLog(folder: string, outcomes: number): Promise<MadeLog> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const impressions = Math.ceil(outcomes / outcomesOfImpression);
  const log = { impressions, units: Math.ceil(impressions / impressionsOfUnit) };
  await withDatabase({ overflow: join(folder, "overflow") }, async (database) => {
    await database.run(`CREATE TABLE lists AS ${lists}`);
    for (let first = 0; first < impressions; first += impressionsOfSegment) {
      const end = Math.min(impressions, first + impressionsOfSegment);
      const segment = String(first / impressionsOfSegment + 1).padStart(10, "0");
      const parts = new Map(daysOf(first, end, log).map((part) => [part.date, part]));
      const rows = (query: typeof impressionRows) => (date: string) => query(parts.get(date) as Part, log);
      const dates = [...parts.keys()];
      await writePartitions(database, folder, segment, [
        { folder: "impressions", dates, rows: rows(impressionRows) },
        { folder: "outcomes", dates, rows: rows(outcomeRows) },
      ]);
    }
  });
  await writeFile(join(folder, whole), "{}\n");
  return (await standingLog(folder)) as MadeLog;
}

interface LogSize {
  readonly impressions: number;
  readonly units: number;
}

/** The impressions of one day. */
interface Part {
  readonly date: string;
  readonly first: number;
  readonly end: number;
}

/** Impressions come evenly over the days. */
function daysOf(first: number, end: number, { impressions }: LogSize): Part[] {
  return Array.from({ length: days }, (_, day) => ({
    date: partitionDate(began + day * dayMs),
    first: Math.max(first, Math.ceil((impressions * day) / days)),
    end: Math.min(end, Math.ceil((impressions * (day + 1)) / days)),
  })).filter((part) => part.first < part.end);
}

/** SQL, ms since 1970. */
const timeOf = (impression: string, { impressions }: LogSize): string =>
  `(${began} + ${impression} * ${days * dayMs} // ${impressions})`;

/** A text as long as a UUID, the same for the same number of the same kind. */
function uuid(kind: string, number: string): string {
  return `to_hex(hash(${number} * 2)) || '-${kind}-' || to_hex(hash(${number} * 2 + 1))`;
}

/** 1 for one number in `of`, which has the id of the one before; 0 for others. */
const repeats = (number: string, of: number, which: number): string =>
  `CASE WHEN ${number} % ${of} = ${which} THEN 1 ELSE 0 END`;
const requestOf = (impression: string): string =>
  uuid("7r", `(${impression} - ${repeats(impression, 1_000, 999)})`);
const unitOf = (impression: string, { units }: LogSize): string => `'u' || (hash(${impression}) % ${units})`;

function impressionRows({ first, end }: Part, log: LogSize): string {
  const assignment = (experiment: string, arm: string): string =>
    `struct_pack(experiment := '${experiment}', arm := ${arm}, layer := '${experiment}', phase := 1::INTEGER,
       unit := unit, propensity := 0.5::DOUBLE, overridden := ${experiment === "home-kd" ? "hash('o' || unit) % 1000 = 0" : "false"})`;
  return `
    SELECT ${requestOf("i")} AS request, epoch_ms(${timeOf("i", log)}) AS "at",
           CASE WHEN i % 7 = 0 THEN 'radio' ELSE 'home' END AS surface, unit AS "user",
           CASE WHEN i % 200 <> 0 THEN 'home-' || arm END AS model, CASE WHEN i % 200 <> 0 THEN '1' END AS model_version,
           CASE WHEN i * 2 < ${log.impressions} THEN [${assignment("search", "'a'")}]
                ELSE [${assignment("search", "'a'")}, ${assignment("home-kd", "arm")}] END AS assignments,
           []::VARCHAR[] AS degraded, ${itemsOfImpression}::INTEGER AS candidate_count,
           NULL::VARCHAR AS user_features, NULL::VARCHAR AS context_features,
           items,
           struct_pack(assign := (hash('a' || i) % 300) / 100, features := (hash('f' || i) % 3000) / 1000,
             queue := 0.1::DOUBLE, inference := 2.5::DOUBLE, rank := 5.5::DOUBLE) AS timings,
           MAP {'country': ['de', 'se', 'us'][(hash(unit) % 3 + 1)::BIGINT],
                'tenure': (hash('t' || unit) % 400)::VARCHAR} AS user_attributes,
           MAP {'device': ['phone', 'speaker'][(i % 2 + 1)::BIGINT]} AS context_attributes
    FROM (SELECT *, CASE WHEN hash('arm' || CASE WHEN hash('c' || unit) % 2000 = 0 THEN unit || i ELSE unit END) % 2 = 0
                         THEN 'control' ELSE 'kd' END AS arm
          FROM (SELECT i, ${unitOf("i", log)} AS unit FROM range(${first}, ${end}) t(i)) drawn) dealt
    JOIN lists ON lists.of = hash(i) % ${tracks}`;
}

/** Different ones at the places of one list. */
const trackAt = (list: string, place: string): string =>
  `((${list} % ${tracks} + ${place} * 499) % ${tracks})`;

/** Beforehand, since each costs as much as the rest of its impression. */
const lists = `
  SELECT list AS of, list_transform(range(${itemsOfImpression}), lambda p: struct_pack(id := 't' || ${trackAt("list", "p")},
    "position" := (p + 1)::INTEGER, score := 1 / (1 + p), features := NULL::VARCHAR)) AS items
  FROM range(${tracks}) t(list)`;

function outcomeRows({ first, end }: Part, log: LogSize): string {
  const late = Math.round((log.impressions * lateDays) / days);
  const ownId = uuid("7o", `(o - ${repeats("o", 1_000, 995)})`);
  return `
    SELECT ${ownId} AS outcome,
           CASE WHEN alone THEN 'user:' || ${unitOf("answered", log)}
                WHEN o % 1000 = 500 THEN 'gone-' || o ELSE ${requestOf("answered")} END AS request,
           CASE WHEN alone THEN '' WHEN o % 1000 = 600 THEN 'none'
                ELSE 't' || ${trackAt(`hash(answered - ${repeats("answered", 1_000, 999)})`, "(o * 3 % 10)")} END AS item,
           ['play', 'completion', 'like', 'skip', 'play'][o % 5 + 1] AS type,
           CASE WHEN o % 5 IN (0, 4) THEN round(hash(o) % 300000 / 1000, 3) ELSE 1 END::DOUBLE AS value,
           epoch_ms(${timeOf("i", log)} + CASE WHEN alone THEN 0 ELSE 30 END) AS occurred_at
    FROM (SELECT o, i, o % 20 = 11 AS alone, CASE WHEN o % 100 = 7 AND i >= ${late} THEN i - ${late} ELSE i END AS answered
          FROM (SELECT o, o // ${outcomesOfImpression} AS i
                FROM range(${first * outcomesOfImpression}, ${end * outcomesOfImpression}) t(o)) numbered) timed`;
}

/** Of the log of this size that `madeLog` left in the folder. */
export async function madeLogBytes(folder: string, outcomes: number): Promise<number> {
  const { impressions, outcomes: files } = await madeLog(folder, outcomes);
  const sizes = await Promise.all([...impressions, ...files].map(async (path) => (await stat(path)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
