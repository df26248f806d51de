import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { type AnalysisReport, analyzeTable } from "../../src/analysis/analysis.ts";
import { renderReport } from "../../src/report/report.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

async function analysisOf(content: string | Buffer, name = "table.csv"): Promise<AnalysisReport> {
  const file = join(await temporaryFolder(), name);
  await writeFile(file, content);
  return analyzeTable({
    file,
    unit: "u",
    arm: "arm",
    control: "a",
    metrics: [{ name: "y", source: "y", kind: "mean" }],
    covariates: new Map(),
    weights: undefined,
    alpha: 0.05,
    asOf: new Date(0),
  });
}

/** A header and fifty whole lines, 1 to 51. */
const whole = `u,arm,y\n${Array.from({ length: 50 }, (_, i) => `u${i},${i % 2 === 0 ? "a" : "b"},${i % 3}\n`).join("")}`;

describe("a line that does not fit its table is named", () => {
  test.each([
    ["with too many columns", "u77,a,1,9,9\n", "line 52 has more columns than the 3 of its header"],
    ["with too few", "u77,a\n", "line 52 has 2 of the 3 columns of its header"],
    ["without end", `${"x".repeat(2_100_000)},a,1\n`, "line 52 is longer than 2000000 bytes"],
    ["with an open quote", '"u77,a,1\n', "line 52 opens a quote and does not close it"],
  ])("%s", async (_what, line, complaint) => {
    await expect(analysisOf(whole + line)).rejects.toThrow(
      new RegExp(`cannot read .* as a table: ${complaint}$`),
    );
  });
});

describe("a table is read", () => {
  const lines = ["u,arm,y", "u1,a,1", "u2,b,3", "u3,a,4", "u4,b,1"];

  test.each<[string, string | Buffer, string]>([
    ["with a byte order mark and Windows line ends", `\uFEFF${lines.join("\r\n")}`, "t.csv"],
    ["divided by semicolons", lines.join("\n").replaceAll(",", ";"), "t.csv"],
    ["divided by tabs", lines.join("\n").replaceAll(",", "\t"), "t.tsv"],
    ["compressed", gzipSync(lines.join("\n")), "t.csv.gz"],
    [
      "with quoted names and values",
      'u,"arm","y","a,b"\nu1,a,1,"x,""y"\nu2,b,3,\nu3,a,"4",\nu4,b,1,',
      "t.csv",
    ],
    [
      "with a column twice and one without a name",
      "u,arm,y,Y,\nu1,a,1,7,\nu2,b,3,7,\nu3,a,4,7,\nu4,b,1,7,",
      "t.csv",
    ],
  ])("%s", async (_how, content, name) => {
    const { metrics } = await analysisOf(content, name);
    expect(metrics[0]?.arms.map(({ units, mean }) => [units, mean])).toEqual([
      [2, 2.5],
      [2, 2],
    ]);
  });
});

test("a table whose every unit is in two arms has data, and the verdict says why it decides nothing", async () => {
  const report = await analysisOf("u,arm,y\nu1,a,1\nu1,b,2\nu2,b,1\nu2,a,3\n");
  const text = renderReport(report);
  expect(text).toContain("every unit was seen in more than one arm, so none is left to compare");
  expect(text).not.toContain("no data");
  expect(report.excludedUnits).toBe(2);
});

test("what is no regular file is refused at once, and what is no Parquet file without the statement that reads it", async () => {
  const pipe = join(await temporaryFolder(), "pipe.csv");
  execFileSync("mkfifo", [pipe]);
  const analysis = {
    unit: "u",
    arm: "arm",
    control: "a",
    metrics: [],
    covariates: new Map(),
    weights: undefined,
  };
  const at = (file: string) => analyzeTable({ ...analysis, file, alpha: 0.05, asOf: new Date(0) });
  await expect(at(pipe)).rejects.toThrow(/pipe\.csv: it is no regular file, expected a CSV or Parquet file$/);
  await expect(at("/dev/zero")).rejects.toThrow(/it is no regular file/);
  await expect(analysisOf("PAR1".padEnd(100, "x"), "cut.parquet")).rejects.toThrow(
    /^cannot read .*cut\.parquet as a table: (?!.*(?:SELECT|LINE))/s,
  );
});

test("an arm whose name holds a zero byte is one as others are; a header that does is refused", async () => {
  const { arms } = await analysisOf(whole.replaceAll(",b,", ",b\0'c,"));
  expect(arms.map(({ arm }) => arm)).toEqual(["a", "b\0'c"]);
  await expect(analysisOf(whole.replace("y", "y\0"))).rejects.toThrow(
    /as a table: its header line holds a zero byte$/,
  );
});
