import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { SetlistError } from "../domain/error.ts";
import type { AnalysisEngine, ResultRow } from "./engine.ts";
import { sparkDialect } from "./spark-dialect.ts";

export interface SparkOptions {
  /** The `spark-sql` program: a path, or a name that is looked for on the PATH. */
  readonly program: string;
  /** `key=value`, as `--conf` takes them: the cluster's master, memory, …; they go before those that are set here. */
  readonly settings: readonly string[];
}

/** How the script's own lines begin, among whatever else the program prints. */
const mark = "setlist-analysis";

/** What a text means must not depend on how a cluster is configured. */
const fixedSettings = [
  "spark.sql.session.timeZone=UTC",
  "spark.sql.ansi.enabled=true",
  // A path or a name may hold `${`.
  "spark.sql.variable.substitute=false",
  "spark.ui.showConsoleProgress=false",
  // A view is worked out of its text again wherever it is named; of relations upon relations that takes minutes.
  "spark.sql.legacy.storeAnalyzedPlanForView=true",
];

/** What is kept of what the program says on its standard error. */
const complaintCharactersMax = 200_000;

/** The same statements on a Spark cluster, or on this machine, through `spark-sql`: one script, one session. */
export function sparkEngine({ program, settings }: SparkOptions): AnalysisEngine {
  return {
    dialect: sparkDialect,
    async run<Name extends string>(
      prepare: readonly string[],
      queries: Readonly<Record<Name, string>>,
      onProgress?: (done: number, of: number) => void,
    ) {
      const named = Object.entries<string>(queries);
      const all = prepare.length + named.length;
      const results = new Map<string, ResultRow[]>(named.map(([name]) => [name, []]));
      let done = 0;
      const script = scriptOf(prepare, named);
      const complaint = await submit(program, [...fixedSettings, ...settings], script, (line) => {
        const [, what, rest = ""] = /^setlist-analysis (\S+)(?: (.*))?$/.exec(line) ?? [];
        if (what === undefined) return;
        if (what === "step") {
          done += 1;
          onProgress?.(done, all);
        } else results.get(what)?.push(JSON.parse(rest) as ResultRow);
      });
      if (done !== all) {
        throw new SetlistError(
          "INTERNAL",
          `${program} ended well after ${done} of ${all} statements: ${reasonIn(complaint)}`,
        );
      }
      return Object.fromEntries(results) as Record<Name, ResultRow[]>;
    },
  };
}

function scriptOf(prepare: readonly string[], queries: readonly [name: string, query: string][]): string {
  const answers = queries.map(
    ([name, query]) => `SELECT concat('${mark} ${name} ', to_json(struct(*))) FROM (${query}) answer`,
  );
  return [...prepare, ...answers].map((statement) => `${statement};\nSELECT '${mark} step';\n`).join("");
}

/**
 * Answers what the program said on its standard error.
 * @throws {SetlistError} INVALID_ARGUMENT where there is no such program, INTERNAL with its own words where it fails.
 */
async function submit(
  program: string,
  settings: readonly string[],
  script: string,
  onLine: (line: string) => void,
): Promise<string> {
  // Spark leaves a metastore and its log where it is started.
  const folder = await mkdtemp(join(tmpdir(), "setlist-spark-"));
  try {
    await writeFile(join(folder, "analysis.sql"), script);
    const configured = settings.flatMap((setting) => ["--conf", setting]);
    const child = spawn(program, [...configured, "-f", join(folder, "analysis.sql")], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let complaint = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      complaint = (complaint + text).slice(-complaintCharactersMax);
    });
    const lines = createInterface({ input: child.stdout }).on("line", onLine);
    const [code, signal] = await ended(child, program);
    lines.close();
    if (code === 0) return complaint;
    throw new SetlistError(
      "INTERNAL",
      `${program} ended with ${signal ?? `code ${code}`}: ${reasonIn(complaint)}`,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function ended(
  child: ReturnType<typeof spawn>,
  program: string,
): Promise<[number | null, string | null]> {
  try {
    return (await once(child, "close")) as [number | null, string | null];
  } catch (error) {
    throw new SetlistError(
      "INVALID_ARGUMENT",
      `cannot start ${program} (${(error as Error).message}): install Spark 3.5 or later with its spark-sql on the PATH, or name the program with --spark-sql`,
      { cause: error },
    );
  }
}

/** The first sentence that says what went wrong: Spark's errors begin with their class in brackets. */
function reasonIn(complaint: string): string {
  const lines = complaint.split("\n").filter((line) => line.trim() !== "" && !/^\s+at /.test(line));
  const reason =
    lines.find((line) => /^(?:Error.*)?\[[A-Z_0-9.]+\]/.test(line)) ??
    lines.findLast((line) => /error|exception/i.test(line));
  return reason ?? (lines.slice(-3).join(" ") || "it said nothing");
}
