import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { analyzeDataDirectory } from "../../src/app/data/analyze-data.ts";
import { openOutcomeLog } from "../../src/outcomes/outcomes.ts";
import { openRegistry } from "../../src/registry/registry.ts";
import { experimentOf, impressionOf, outcomeOf } from "../support/log-records.ts";
import { setlistHere } from "../support/setlist-command.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

async function tableFile(control: number, treated: number): Promise<string> {
  const file = join(await temporaryFolder(), "table.csv");
  const rows = ["control", "treated"].flatMap((arm, i) =>
    Array.from({ length: i === 0 ? control : treated }, (_, n) => `${arm}${n},${arm},${n % 5}`),
  );
  await writeFile(file, `user,arm,plays\n${rows.join("\n")}\n`);
  return file;
}

function tableArguments(file: string): string[] {
  return ["analyze", "--table", file, "--unit", "user", "--arm", "arm", "--control", "control"];
}

describe("setlist analyze --table", () => {
  test("writes the page beside what it prints, and says where it cannot", async () => {
    const file = await tableFile(50, 55);
    const page = join(await temporaryFolder(), "report.html");
    const metric = ["--metric", "plays=plays:mean"];
    const said = await setlistHere(...tableArguments(file), ...metric, "--html", page);
    expect(said.code).toBe(0);
    expect(said.stdout).toContain("Verdict  No difference shown");
    const html = await readFile(page, "utf8");
    expect(html).toMatch(/^<!doctype html>/);
    expect(html).toContain("No difference shown between treated and control on plays");
    const again = await setlistHere(...tableArguments(file), ...metric, "--html", join(page, "none.html"));
    expect(again.code).toBe(2);
    expect(again.stderr).toContain(`cannot write the page to ${join(page, "none.html")}`);
  });

  test("prints the report for people, or with --json for programs, and exits 0", async () => {
    const file = await tableFile(50, 55);
    const said = await setlistHere(...tableArguments(file), "--metric", "plays=plays:mean");
    expect(said.code).toBe(0);
    expect(said.stdout).toContain("Verdict  No difference shown between treated and control on plays");
    const again = await setlistHere(
      ...tableArguments(file),
      "--metric",
      "plays=plays:mean",
      "--json",
      "--alpha",
      "0.1",
    );
    expect(again.code).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({
      alpha: 0.1,
      arms: [{ units: 50 }, { units: 55 }],
      asOf: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      metrics: [{ metric: "plays", comparisons: [{ arm: "treated", versus: "control", method: "welch" }] }],
    });
  });

  test("exits 3 on an SRM, with the report printed, and 0 where the weights explain the split", async () => {
    const file = await tableFile(100, 300);
    const metric = ["--metric", "plays=plays:mean"];
    const said = await setlistHere(...tableArguments(file), ...metric);
    expect(said.code).toBe(3);
    expect(said.stdout).toContain("SAMPLE RATIO MISMATCH");
    expect(
      await setlistHere(...tableArguments(file), ...metric, "--weights", "control=1,treated=3"),
    ).toMatchObject({ code: 0 });
  });

  test("exits 3 also where the split is right, and units were seen in both arms", async () => {
    const file = await tableFile(50, 55);
    await appendFile(file, Array.from({ length: 5 }, (_, n) => `control${n},treated,1\n`).join(""));
    const said = await setlistHere(...tableArguments(file), "--metric", "plays=plays:mean", "--json");
    expect(JSON.parse(said.stdout)).toMatchObject({ srm: { ok: true }, health: { ok: false } });
    expect(said.code).toBe(3);
  });

  test("exits 1 with a sentence, and no trace, where the data does not fit", async () => {
    const file = await tableFile(5, 5);
    const said = await setlistHere(...tableArguments(file), "--metric", "plays=play:mean");
    expect(said.code).toBe(1);
    expect(said.stderr).toBe(
      'setlist: metric plays: no column "play" in the table (did you mean "plays"?)\n',
    );
  });

  test.each([
    [["analyze"], "expected --experiment ID or --table FILE"],
    [["analyze", "--experiment", "a", "--table", "b"], "--table FILE, not both"],
    [["analyze", "--experiment", "a", "--metric", "a=b:mean"], "--metric goes with --table"],
    [
      ["analyze", "--table", "x.csv", "--unit", "u", "--arm", "a", "--control", "c"],
      "--table needs --metric",
    ],
    [[...tableArguments("x.csv"), "--metric", "a=b:men"], 'did you mean "mean"'],
    [
      [...tableArguments("x.csv"), "--metric", "a=b:mean", "--data-dir", "d"],
      "--data-dir goes with --experiment",
    ],
    [[...tableArguments("x.csv"), "--covariate", "a"], "expected NAME=COLUMN"],
    [[...tableArguments("x.csv"), "--covariate", "a=b", "--covariate", "a=b"], "metric a already has b"],
    [["analyze", "--experiment", "a", "--planned-units", "9"], "--planned-units goes with --table"],
    [[...tableArguments("x.csv"), "--weights", "control=-1"], "expected ARM=WEIGHT"],
    [[...tableArguments("x.csv"), "--weights", "a=0,b=0"], "a weight above 0"],
    [["analyze", "--experiment", "a", "--alpha", "1"], "between 0 and 1"],
    [["analyze", "--experiment", "a", "--alpha", "x"], "between 0 and 1"],
    [["analyze", "--experiment", "a", "--alpha", "5e-324"], "between 0 and 1"],
    [["analyze", "--experiment", "a", "--segment", "country"], "such as user.country"],
    [["analyze", "--experiment", "a", "--segment", "user.a", "--segment", "user.a"], "named twice"],
    [["analyze", "--experiment", "a", "--policy", "kd"], "expected ARM=WEIGHT"],
    [
      [...tableArguments("x.csv"), "--metric", "a=b:mean", "--calibrate"],
      "--calibrate goes with --experiment",
    ],
    [["analyze", "--experimnt", "a"], "--experiment"],
    [["analyze", "--experiment", "a", "--engine", "sparc"], "expected one of duckdb, spark"],
    [["analyze", "--experiment", "a", "--warehouse", "s3a://b"], "--warehouse goes with --engine spark"],
    [["analyze", "--experiment", "a", "--engine", "spark", "--spark-conf", "x"], "expected KEY=VALUE"],
    [[...tableArguments("x.csv"), "--metric", "a=b:mean", "--engine", "spark"], "--engine goes with"],
    [["analyze", "--experiment", "a", "--pdf", "x.pdf"], "unknown option '--pdf'"],
  ])("%j is wrong usage: exit 2", async (args, sentence) => {
    const said = await setlistHere(...args);
    expect(said.code).toBe(2);
    expect(said.stderr).toContain(sentence);
    expect(said.stdout).toBe("");
  });
});

describe("setlist analyze --experiment", () => {
  const clock = { now: () => Date.parse("2026-11-22T12:00:00.000Z"), monotonic: () => 0 };

  /** A data directory as a server leaves it, `units` of them in each arm. */
  async function dataDirectory(units: { control: number; kd: number }): Promise<string> {
    const dataDir = await temporaryFolder();
    const registry = openRegistry({ dataDir, clock });
    await registry.write("tests", () => ({
      experiments: [{ document: { ...experimentOf(), revision: 1 }, what: "created" }],
    }));
    await registry.close();
    const log = await openOutcomeLog({
      directory: join(dataDir, "log"),
      clock,
      segmentBytesMax: 1 << 20,
      syncIntervalMs: 5,
    });
    for (const [arm, count] of Object.entries(units)) {
      for (let i = 0; i < count; i++) {
        await log.appendImpression(impressionOf(`r-${arm}-${i}`, `${arm}-${i}`, arm));
        await log.appendOutcomes(
          [outcomeOf(`o-${arm}-${i}`, `r-${arm}-${i}`, `t${1 + (i % 3)}`)].slice(i % 2),
        );
      }
    }
    await log.close();
    return dataDir;
  }

  test("answers what else is asked of the log, in words and as JSON", async () => {
    const dataDir = await dataDirectory({ control: 40, kd: 40 });
    const asked = ["--segment", "user.country", "--novelty", "--policy", "kd=1", "--calibrate"];
    const command = ["analyze", "--experiment", "home-kd", "--data-dir", dataDir, ...asked];
    const said = await setlistHere(...command);
    expect(said.code).toBe(0);
    expect(said.stdout).toContain("completions of kd by user.country");
    expect(said.stdout).toContain("With control 0.0 %, kd 100.0 %: 80 requests of 80 units");
    expect(said.stdout).toContain("Calibration: p-values of 80 units under 1,000 salts");
    const again = await setlistHere(...command, "--json");
    expect(again.code).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({
      segments: [{ attribute: "user.country", levels: [{ level: null, units: 80 }] }],
      novelty: [],
      offPolicy: { policies: [{ weights: { control: 0, kd: 1 }, metrics: [{ ips: null }] }] },
      calibration: { salts: 1_000, of: 80 },
    });
    expect(await setlistHere(...command, "--policy", "control=1,kd=1e-9")).toMatchObject({ code: 0 });
    const then = await setlistHere(...command, "--policy", "kdd=1");
    expect(then.code).toBe(1);
    expect(then.stderr).toContain('policy: no arm kdd (did you mean "kd"?)');
  });

  test("reads the store and the log of the data directory", async () => {
    const dataDir = await dataDirectory({ control: 6, kd: 4 });
    const said = await setlistHere("analyze", "--experiment", "home-kd", "--data-dir", dataDir, "--json");
    expect(said.code).toBe(0);
    expect(JSON.parse(said.stdout)).toMatchObject({
      experiment: "home-kd",
      phase: 1,
      arms: [
        { arm: "control", units: 6, impressions: 6 },
        { arm: "kd", units: 4, impressions: 4 },
      ],
      metrics: [{ metric: "completions", arms: [{ mean: 0.5 }, { mean: 0.5 }] }],
      unmatchedOutcomes: 0,
      lateOutcomes: 0,
    });
  });

  test("exits 3 on an SRM", async () => {
    const dataDir = await dataDirectory({ control: 40, kd: 5 });
    const said = await setlistHere("analyze", "--experiment", "home-kd", "--data-dir", dataDir);
    expect(said.code).toBe(3);
    expect(said.stdout).toContain("Do not decide on these numbers");
  });

  test("says that there is no data yet, and exits 0", async () => {
    const dataDir = await dataDirectory({ control: 0, kd: 0 });
    const said = await setlistHere("analyze", "--experiment", "home-kd", "--data-dir", dataDir);
    expect(said.code).toBe(0);
    expect(said.stdout).toContain("No data: the log holds no impression of home-kd in phase 1.");
  });

  test("names the nearest experiment for one that is not there, and exits 1", async () => {
    const dataDir = await dataDirectory({ control: 0, kd: 0 });
    const said = await setlistHere("analyze", "--experiment", "home-kdd", "--data-dir", dataDir);
    expect(said.code).toBe(1);
    expect(said.stderr).toContain('did you mean "home-kd"?');
  });

  test("names the data directory that is not there, and exits 1", async () => {
    const nowhere = join(await temporaryFolder(), "nowhere");
    const said = await setlistHere("analyze", "--experiment", "home-kd", "--data-dir", nowhere);
    expect(said.code).toBe(1);
    expect(said.stderr).toContain(`no data directory at ${nowhere}`);
  });

  test("works while the log and the store are open for writing", async () => {
    const dataDir = await dataDirectory({ control: 3, kd: 3 });
    const registry = openRegistry({ dataDir, clock });
    const log = await openOutcomeLog({
      directory: join(dataDir, "log"),
      clock,
      segmentBytesMax: 1 << 20,
      syncIntervalMs: 5,
    });
    try {
      await log.appendImpression(impressionOf("late", "late", "kd"));
      const report = await analyzeDataDirectory({ dataDir, experiment: "home-kd", alpha: 0.05 });
      expect(report.arms.map((arm) => arm.units)).toEqual([3, 4]);
    } finally {
      await log.close();
      await registry.close();
    }
  });
});
