/**
 * How long an incremental analysis takes once most of a log is known, against that of the whole log:
 * `npm run loadtest:incremental -- --outcomes 10000000 --share 0.01`. The log is made as for `analysis.ts`.
 */
import { mkdir, mkdtemp, readdir, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { type AnalysisReport, analyzeExperiment } from "../src/analysis/analysis.ts";
import { positiveInteger } from "../src/cli/argument.ts";
import { literal, withDatabase } from "../src/columnar/columnar.ts";
import { measuredExperiment } from "./analysis-run.ts";
import { type MadeLog, madeLog } from "./made-log.ts";

const {
  outcomes,
  share,
  folder: kept,
} = new Command("loadtest:incremental")
  .description("Make a log as Parquet, analyse all but its end, and say what the end then costs.")
  .option("--outcomes <COUNT>", "outcomes of the log", positiveInteger, 1_000_000)
  .option("--share <SHARE>", "of the log that is new", parseShare, 0.01)
  .option("--folder <FOLDER>", "where the log stays, to be used again (default: a temporary one)")
  .allowExcessArguments(false)
  .parse()
  .opts<{ readonly outcomes: number; readonly share: number; readonly folder?: string }>();

function parseShare(text: string): number {
  const value = Number(text);
  if (value > 0 && value < 1) return value;
  throw new InvalidArgumentError("expected a number between 0 and 1, such as 0.01.");
}

type Log = Pick<MadeLog, "impressions" | "outcomes">;

const scratch = await mkdtemp(join(tmpdir(), "setlist-incremental-"));
const folder = kept === undefined ? join(scratch, "logs") : resolve(kept);
const warehouse = join(scratch, "warehouse");
const states = join(scratch, "analysis");

/** The log in the scratch folder, its last segment in two: before and from the time at which the new share begins. */
async function cutLog(log: MadeLog): Promise<{ readonly known: Log; readonly fresh: Log }> {
  const last = log.impressions
    .map((path) => path.slice(path.lastIndexOf("/") + 1))
    .sort()
    .at(-1) as string;
  const segment = Number(last.slice(0, -".parquet".length));
  const known: { impressions: string[]; outcomes: string[] } = { impressions: [], outcomes: [] };
  const fresh: { impressions: string[]; outcomes: string[] } = { impressions: [], outcomes: [] };
  await withDatabase({ overflow: join(scratch, "overflow") }, async (database) => {
    const lasts = log.impressions.filter((path) => path.endsWith(last)).map(literal);
    const count = Math.round((outcomes / 5) * share);
    const [cut] = (
      await database.runAndReadAll(
        `SELECT CAST(min("at") AS VARCHAR) AS since
         FROM (SELECT "at" FROM read_parquet([${lasts.join(", ")}]) ORDER BY "at" DESC LIMIT ${count}) newest`,
      )
    ).getRowObjectsJson();
    for (const table of ["impressions", "outcomes"] as const) {
      const at = table === "impressions" ? '"at"' : "occurred_at";
      for (const path of log[table]) {
        const own = join(warehouse, table, path.slice(path.lastIndexOf("date=")));
        await mkdir(dirname(own), { recursive: true });
        if (!path.endsWith(last)) {
          await symlink(path, own);
          known[table].push(own);
          continue;
        }
        const write = async (number: number, holds: string, to: string[]): Promise<void> => {
          const file = join(dirname(own), `${String(number).padStart(10, "0")}.parquet`);
          await database.run(
            `COPY (SELECT * EXCLUDE (date) FROM read_parquet(${literal(path)}, hive_partitioning = true) WHERE ${at} ${holds} '${cut?.["since"]}')
             TO ${literal(file)} (FORMAT parquet, COMPRESSION zstd)`,
          );
          to.push(file);
        };
        await write(segment, "<", known[table]);
        await write(segment + 1, ">=", fresh[table]);
      }
    }
  });
  return { known, fresh };
}

const asOf = new Date();
async function timed(name: string, files: Log, isIncremental: boolean): Promise<AnalysisReport> {
  const began = performance.now();
  const report = await analyzeExperiment({
    experiment: measuredExperiment,
    files: { ...files, missingBefore: undefined },
    alpha: 0.05,
    asOf,
    states: isIncremental
      ? {
          folder: states,
          warehouse,
          experiments: [measuredExperiment.id],
          onNotice: (sentence) => console.error(sentence),
        }
      : undefined,
  });
  console.log(`${name}: ${((performance.now() - began) / 1_000).toFixed(2)} s`);
  return report;
}

async function bytesBelow(path: string): Promise<number> {
  const names = await readdir(path, { recursive: true });
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(path, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

try {
  const { known, fresh } = await cutLog(await madeLog(folder, outcomes));
  const all = {
    impressions: [...known.impressions, ...fresh.impressions],
    outcomes: [...known.outcomes, ...fresh.outcomes],
  };
  await timed(`all but ${share * 100} % of ${outcomes} outcomes, with no state yet`, known, true);
  console.log(`the state: ${((await bytesBelow(states)) / 2 ** 20).toFixed(0)} MiB`);
  const incremental = await timed("the rest, with the state", all, true);
  await timed("nothing new", all, true);
  const whole = await timed("the whole log", all, false);
  if (JSON.stringify(incremental) !== JSON.stringify(whole)) throw new Error("the reports differ");
  const { maxRSS } = process.resourceUsage();
  console.log(`the same report; peak RSS of all ${(maxRSS / 2 ** 20).toFixed(2)} GiB`);
} finally {
  await rm(scratch, { recursive: true, force: true });
}
