import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { analyzeExperiment } from "../../src/analysis/analysis.ts";
import { sparkEngine } from "../../src/measurement/measurement.ts";
import { experimentOf } from "../support/log-records.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** A program in place of `spark-sql`. */
async function programOf(script: string): Promise<string> {
  const path = join(await temporaryFolder(), "spark-sql");
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

function analysisOn(program: string, impressions: readonly string[] = []) {
  return analyzeExperiment({
    experiment: experimentOf(),
    files: { impressions, outcomes: [], missingBefore: undefined },
    engine: sparkEngine({ program, settings: ["spark.master=yarn", "spark.executor.memory=4g"] }),
    alpha: 0.05,
    asOf: new Date(0),
  });
}

test("a spark-sql that is not there is named, with what to do", async () => {
  await expect(analysisOn("/nowhere/spark-sql")).rejects.toMatchObject({
    code: "INVALID_ARGUMENT",
    message: expect.stringMatching(
      /cannot start \/nowhere\/spark-sql .*install Spark 3.5 or later.*--spark-sql/,
    ),
  });
});

test("one that fails is quoted: the sentence with the error, not the trace", async () => {
  const program = await programOf(`
    echo 'WARN something' >&2
    echo '[TABLE_OR_VIEW_NOT_FOUND] The table or view cannot be found.' >&2
    echo '	at org.apache.spark.sql.SparkSession' >&2
    exit 1`);
  await expect(analysisOn(program)).rejects.toMatchObject({
    code: "INTERNAL",
    message: `${program} ended with code 1: [TABLE_OR_VIEW_NOT_FOUND] The table or view cannot be found.`,
  });
});

test("one that ends well without having answered is not taken for an empty log", async () => {
  const program = await programOf("exit 0");
  await expect(analysisOn(program)).rejects.toThrow(/ended well after 0 of \d+ statements/);
});

test("what it answers is read among whatever else it prints, with nobody watching the progress", async () => {
  const program = await programOf(`
    for last in "$@"; do :; done
    echo 'Spark master: yarn'
    grep -o "setlist-analysis step" "$last"
    echo 'setlist-analysis arms {"arm":1,"units":3,"impressions":7,"fallbacks":0,"late":2}'
    echo 'setlist-analysis totals {"crossed":1,"unmatched":4,"repeated":0}'`);
  expect(await analysisOn(program)).toMatchObject({
    arms: [
      { arm: "control", units: 0, impressions: 0 },
      { arm: "kd", units: 3, impressions: 7 },
    ],
    excludedUnits: 1,
    unmatchedOutcomes: 4,
    lateOutcomes: 2,
  });
});

test("the settings come last, where they go before ours, and it works in a folder of its own, gone afterwards", async () => {
  const seen = join(await temporaryFolder(), "seen");
  const program = await programOf(`echo "$@" > ${seen}; pwd >> ${seen}; ls "$PWD" >> ${seen}; exit 1`);
  await expect(analysisOn(program)).rejects.toThrow("ended with code 1");
  const [settings = "", folder = "", file] = (await readFile(seen, "utf8")).split("\n");
  expect(settings).toMatch(
    /--conf spark.sql.session.timeZone=UTC .*--conf spark.master=yarn --conf spark.executor.memory=4g -f \S+analysis.sql$/,
  );
  expect(file).toBe("analysis.sql");
  await expect(readFile(join(folder, file ?? ""))).rejects.toMatchObject({ code: "ENOENT" });
});

test("a path that Spark would take for a pattern is refused", async () => {
  const path = "file:///data/{a,b}/impressions/date=2026-11-22/0000000001.parquet";
  await expect(analysisOn("spark-sql", [path])).rejects.toMatchObject({
    code: "INVALID_ARGUMENT",
    message: expect.stringContaining(path),
  });
});
