import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import erfc from "@stdlib/math-base-special-erfc";
import { describe, expect, test } from "vitest";
import { analyzeTable } from "../../src/analysis/analysis.ts";
import { parseTableMetric } from "../../src/measurement/measurement.ts";
import { renderReport } from "../../src/report/report.ts";
import { momentsOf } from "../../src/statistics/moments.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

type Input = Parameters<typeof analyzeTable>[0];

/** Analyses `text` as a CSV file with the columns user, arm and whatever the metrics name. */
async function analyzeCsv(
  text: string,
  metrics: readonly string[],
  changes: Partial<Input> & { readonly name?: string } = {},
) {
  const file = join(await temporaryFolder(), changes.name ?? "table.csv");
  await writeFile(file, text);
  return analyzeTable({ ...inputOf(file, metrics), ...changes });
}

function inputOf(file: string, metrics: readonly string[]): Input {
  return {
    file,
    unit: "user",
    arm: "arm",
    control: "control",
    metrics: metrics.map(parseTableMetric),
    covariates: new Map(),
    weights: undefined,
    alpha: 0.05,
    asOf: new Date("2026-11-22T13:00:00.000Z"),
  };
}

const perUnit = `user,arm,plays,bought,clicks,views,before
u1,control,3,true,1,10,2
u2,control,1,FALSE,2,10,1
u3,control,2,0,0,5,2
u4,treated,4,1,3,10,3
u5,treated,2,false,2,5,1
u6,treated,6,1.0,1,10,4
`;

describe("a table with a row a unit", () => {
  test("has metrics of which less is better, where they are named", async () => {
    const users = Array.from({ length: 400 }, (_, i) => {
      const [arm, skips] = i % 2 === 0 ? ["control", 4 + (i % 5)] : ["treated", 2 + (i % 5)];
      return `u${i},${arm},${skips}`;
    });
    const text = ["user,arm,skips", ...users].join("\n");
    const [more, less] = [
      await analyzeCsv(text, ["skips=skips:mean"]),
      await analyzeCsv(text, ["skips=skips:mean"], { decrease: ["skips"] }),
    ];
    expect([more.metrics[0]?.goal, more.verdict?.kind]).toEqual(["increase", "worse"]);
    expect([less.metrics[0]?.goal, less.verdict?.kind]).toEqual(["decrease", "better"]);
    await expect(analyzeCsv(text, ["skips=skips:mean"], { decrease: ["skip"] })).rejects.toThrow(
      'decrease: no metric skip (did you mean "skips"?)',
    );
  });

  test("gives every metric its value, arms in the order control first", async () => {
    const metrics = ["plays=plays:mean", "bought=bought:proportion", "ctr=clicks/views:ratio"];
    const report = await analyzeCsv(perUnit, metrics);
    expect(report).toMatchObject({
      experiment: "table.csv",
      phase: null,
      unit: "user",
      asOf: "2026-11-22T13:00:00.000Z",
      arms: [
        { arm: "control", units: 3, impressions: 3 },
        { arm: "treated", units: 3, impressions: 3 },
      ],
      srm: { ok: true, expected: [0.5, 0.5] },
    });
    expect(report.metrics.map((metric) => metric.arms.map((arm) => arm.mean))).toEqual([
      [2, 4],
      [expect.closeTo(1 / 3, 12), expect.closeTo(2 / 3, 12)],
      [expect.closeTo(3 / 25, 12), expect.closeTo(6 / 25, 12)],
    ]);
    expect(report.metrics.map((metric) => metric.comparisons[0]?.method)).toEqual([
      "welch",
      "welch",
      "delta",
    ]);
    expect(report.metrics[0]?.comparisons[0]?.absolute?.estimate).toBe(2);
  });

  test("takes a covariate for CUPED, beside the plain comparison", async () => {
    const report = await analyzeCsv(perUnit, ["plays=plays:mean"], {
      covariates: new Map([["plays", ["before"]]]),
    });
    const comparison = report.metrics[0]?.comparisons[0];
    // Deviations within the arms: sum of products 1 + 6 = 7, of squares of `before` 2/3 + 14/3 = 16/3.
    const theta = 7 / (16 / 3);
    expect(comparison?.absolute?.estimate).toBe(2);
    expect(comparison?.cuped).toMatchObject({ covariate: "before", theta: expect.closeTo(theta, 12) });
    expect(comparison?.cuped?.absolute.estimate).toBeCloseTo(2 - theta * (8 / 3 - 5 / 3), 12);
    expect(comparison?.cuped?.varianceReduction).toBeGreaterThan(0.8);
  });

  test("takes several covariates of one metric, and one of a ratio", async () => {
    const rows = Array.from({ length: 64 }, (_, i) => {
      const [a, b, noise] = [i % 4, Math.floor(i / 4) % 4, Math.floor(i / 16) % 2];
      return `u${i},${i < 32 ? "control" : "treated"},${3 * a + b + noise + (i < 32 ? 0 : 1)},${a},${b},2`;
    });
    const text = `user,arm,v,a,b,n\n${rows.join("\n")}\n`;
    const covariates = new Map([
      ["v", ["a", "b"]],
      ["r", ["a"]],
    ]);
    const report = await analyzeCsv(text, ["v=v:mean", "r=v/n:ratio"], { covariates });
    const [both, one] = report.metrics.map((metric) => metric.comparisons[0]?.cuped);
    // Variances: 9 * 1.25 of a, 1.25 of b, 0.25 of the noise.
    expect(both).toMatchObject({ covariate: "a, b", theta: expect.closeTo(3, 9) });
    expect(both?.varianceReduction).toBeCloseTo(12.5 / 12.75, 9);
    expect(both?.absolute.estimate).toBeCloseTo(1, 9);
    expect(one?.varianceReduction).toBeCloseTo(11.25 / 12.75, 9);
    expect(one?.absolute.estimate).toBeCloseTo(0.5, 9);
  });

  test("has a verdict where units are enough for its skewness, and as many as were planned", async () => {
    const rows = Array.from({ length: 200 }, (_, i) => {
      return `u${i},${i % 2 === 0 ? "control" : "treated"},${(i % 10) + (i % 2)}`;
    });
    const text = `user,arm,v\n${rows.join("\n")}\n`;
    expect((await analyzeCsv(text, ["v=v:mean"])).verdict?.kind).toBe("better");
    expect((await analyzeCsv(text, ["v=v:mean"], { plannedUnits: 200 })).verdict?.kind).toBe("better");
    const early = await analyzeCsv(text, ["v=v:mean"], { plannedUnits: 400 });
    expect(early.verdict).toEqual({
      kind: "too-early",
      sentence: "Too early for a verdict.",
      reasons: ["The plan is one look at 400 units, of which 200 are there."],
    });
    expect(early.plan).toMatchObject({ kind: "fixed", plannedUnits: 400, ended: false });
    const late = await analyzeCsv(text, ["v=v:mean"], { plannedUnits: 150 });
    expect(late.warnings.join()).toContain("has 200 units, and one look was planned at 150");
    const few = await analyzeCsv(perUnit, ["plays=plays:mean"]);
    expect(few.verdict?.reasons).toEqual([
      "Too few units yet: plays has 3 of 50 units in control, 3 of 50 units in treated. Look again once they are there.",
    ]);
  });

  test("says by the score method what so few events show", async () => {
    const rows = Array.from({ length: 200 }, (_, i) => {
      return `u${i},${i % 2 === 0 ? "control" : "treated"},${i % 2 === 1 && i < 16 ? 1 : 0},${i % 4 < 2 ? 1 : 0}`;
    });
    const text = `user,arm,rare,half\n${rows.join("\n")}\n`;
    const report = await analyzeCsv(text, ["rare=rare:proportion", "half=half:proportion"]);
    const [rare, half] = report.metrics.map((metric) => metric.comparisons[0]);
    // 8 of 100 against none: z^2 = 199 (0.08)^2 / (200 * 0.04 * 0.96 * 0.02).
    const z = Math.sqrt((199 * 0.08 ** 2) / (200 * 0.04 * 0.96 * 0.02));
    expect(rare?.score?.absolute.estimate).toBeCloseTo(0.08, 12);
    expect(rare?.score?.pValue).toBeCloseTo(erfc(z / Math.SQRT2), 9);
    expect(half?.score).toBeUndefined();
    // Half of a hundred units are enough, and eight or none are not.
    expect(report.verdict?.reasons).toEqual([
      "Too few units yet: rare has 0 of 10 events in control, 8 of 10 events in treated. Look again once they are there.",
    ]);
    expect(renderReport(report)).toContain("few events, by the score method: difference +0.08");
  });

  test("takes weights, and finds an SRM against them", async () => {
    const rows = Array.from(
      { length: 300 },
      (_, i) => `u${i},${i % 3 === 0 ? "control" : "treated"},${i % 7}`,
    );
    const text = `user,arm,plays\n${rows.join("\n")}\n`;
    expect((await analyzeCsv(text, ["plays=plays:mean"])).srm.ok).toBe(false);
    const weights = new Map([
      ["treated", 2],
      ["control", 1],
    ]);
    const report = await analyzeCsv(text, ["plays=plays:mean"], { weights });
    expect(report.srm).toMatchObject({ ok: true, pValue: 1 });
  });

  test("keeps an arm that has a weight and no units: that is a mismatch too", async () => {
    const weights = new Map(["control", "treated", "lost"].map((arm) => [arm, 1]));
    const report = await analyzeCsv(perUnit, ["plays=plays:mean"], { weights });
    expect(report.arms.map((arm) => [arm.arm, arm.units])).toEqual([
      ["control", 3],
      ["treated", 3],
      ["lost", 0],
    ]);
    expect(report.metrics[0]?.comparisons[1]).toMatchObject({ arm: "lost", absolute: null });
  });
});

describe("a table with a row an event", () => {
  const perEvent = `user,arm,value,hit,before
a,control,1,0,5
a,control,2,1,5
b,control,0.5,0,3
c,treated,1,1,4
c,treated,1,1,4
d,treated,1,0,2
d,treated,,0,2
`;

  test("adds up a unit's values, asks whether any hit, and repeats no covariate", async () => {
    const report = await analyzeCsv(
      perEvent,
      ["value=value:mean", "hit=hit:proportion", "rate=hit/value:ratio"],
      {
        covariates: new Map([["value", ["before"]]]),
      },
    );
    expect(report.arms).toEqual([
      { arm: "control", units: 2, impressions: 3 },
      { arm: "treated", units: 2, impressions: 4 },
    ]);
    expect(report.metrics.map((metric) => metric.arms.map((arm) => arm.mean))).toEqual([
      [1.75, 1.5],
      [0.5, 0.5],
      [expect.closeTo(1 / 3.5, 12), expect.closeTo(2 / 3, 12)],
    ]);
    // Within the arms: (5, 3) with (3, 0.5) and (4, 2) with (2, 1): (2.5 + 1) / (2 + 2).
    expect(report.metrics[0]?.comparisons[0]?.cuped?.theta).toBeCloseTo(3.5 / 4, 12);
    expect(report.warnings).toContainEqual("Column value is empty in 1 of 7 rows: they count as 0.");
  });

  test("leaves out units in two arms and rows without a name, and says how many", async () => {
    const text = "user,arm,v\na,control,1\na,treated,2\nb,control,3\n,control,9\nc,,9\nd,treated,1\n";
    const report = await analyzeCsv(text, ["v=v:mean"]);
    expect(report.excludedUnits).toBe(1);
    expect(report.arms.map((arm) => arm.units)).toEqual([1, 1]);
    expect(report.warnings).toContainEqual("2 of 6 rows name no unit or no arm: left out.");
    expect(report.warnings).toContainEqual("1 unit is in more than one arm: left out.");
  });
});

test("an empty covariate takes the mean of the others", async () => {
  const text = "user,arm,v,pre\na,control,1,1\nb,control,2,\nc,treated,3,3\nd,treated,5,4\ne,control,4,2\n";
  const report = await analyzeCsv(text, ["v=v:mean"], { covariates: new Map([["v", ["pre"]]]) });
  // pre: control 1, 2.5, 2 and treated 3, 4; v: control 1, 2, 4 and treated 3, 5.
  const control = { x: [1, 2.5, 2], y: [1, 2, 4] };
  const meanX = 5.5 / 3;
  const product = control.x.reduce((sum, x, i) => sum + (x - meanX) * ((control.y[i] ?? 0) - 7 / 3), 0);
  const theta = (product + 1) / (momentsOf(control.x).m2 + 0.5);
  expect(report.metrics[0]?.comparisons[0]?.cuped?.theta).toBeCloseTo(theta, 10);
  expect(report.warnings).toContainEqual(
    "Column pre is empty in 1 of 5 rows: they take the mean of the others.",
  );
});

describe("files", () => {
  test("Parquet is read like CSV, with its own types", async () => {
    const file = join(await temporaryFolder(), "table.parquet");
    const instance = await DuckDBInstance.create(":memory:");
    const connection = await instance.connect();
    await connection.run(
      `COPY (SELECT i AS "user", CASE WHEN i % 2 = 0 THEN 'control' ELSE 'treated' END AS arm, i * 0.5 AS plays,
             i % 3 = 0 AS bought FROM range(60) AS t(i)) TO '${file}' (FORMAT parquet)`,
    );
    connection.closeSync();
    instance.closeSync();
    const report = await analyzeTable(inputOf(file, ["plays=plays:mean", "bought=bought:proportion"]));
    expect(report.metrics[0]?.arms.map((arm) => arm.mean)).toEqual([14.5, 15]);
    expect(report.metrics[1]?.arms[0]?.mean).toBeCloseTo(1 / 3, 12);
  });

  test.each(["odd [1] *?.csv", "it's; DROP TABLE x.csv", "a=1.csv"])(
    "a file may be called %j",
    async (name) => {
      const report = await analyzeCsv(perUnit, ["plays=plays:mean"], { name });
      expect(report.experiment).toBe(name);
      expect(report.arms.map((arm) => arm.units)).toEqual([3, 3]);
    },
  );

  test("a name that looks like a pattern reads one file, not its neighbours", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "x1.csv"), perUnit);
    await writeFile(join(folder, "x*.csv"), "user,arm,plays\na,control,1\nb,treated,2\n");
    const report = await analyzeTable(inputOf(join(folder, "x*.csv"), ["plays=plays:mean"]));
    expect(report.arms.map((arm) => arm.units)).toEqual([1, 1]);
  });

  test("columns, arms and units may be called anything; none of it is run as SQL", async () => {
    const evil = `x"); DROP TABLE table_units; --`;
    const quoted = `"${evil.replaceAll('"', '""')}"`;
    const text = `user,arm,${quoted}\n"a'b",control,1\nc,"t'; --",2\nd,control,3\ne,"t'; --",5\n`;
    const report = await analyzeCsv(text, [`m=${evil}:mean`]);
    expect(report.metrics[0]?.arms).toMatchObject([
      { arm: "control", mean: 2 },
      { arm: "t'; --", mean: 3.5 },
    ]);
  });

  test("a ratio's columns may hold slashes", async () => {
    const text = "user,arm,a/b,c\nu,control,1,2\nv,treated,1,4\n";
    const report = await analyzeCsv(text, ["r=a/b/c:ratio"]);
    expect(report.metrics[0]?.arms.map((arm) => arm.mean)).toEqual([0.5, 0.25]);
  });
});

describe("what is wrong is said in a sentence", () => {
  test.each<[string, string, readonly string[], Partial<Input>, RegExp]>([
    [
      "an unknown metric column",
      perUnit,
      ["p=playz:mean"],
      {},
      /metric p: no column "playz".*did you mean "plays"/,
    ],
    [
      "an unknown denominator",
      perUnit,
      ["r=clicks/vews:ratio"],
      {},
      /no column "vews".*did you mean "views"/,
    ],
    ["an unknown unit column", perUnit, ["p=plays:mean"], { unit: "usr" }, /--unit: no column "usr".*"user"/],
    ["an unknown arm column", perUnit, ["p=plays:mean"], { arm: "am" }, /--arm: no column "am".*"arm"/],
    ["an unknown control", perUnit, ["p=plays:mean"], { control: "contrl" }, /no arm "contrl".*"control"/],
    [
      "an unknown covariate",
      perUnit,
      ["p=plays:mean"],
      { covariates: new Map([["p", ["befor"]]]) },
      /"before"/,
    ],
    [
      "a covariate of no metric",
      perUnit,
      ["p=plays:mean"],
      { covariates: new Map([["q", ["before"]]]) },
      /no metric q/,
    ],
    ["a metric given twice", perUnit, ["p=plays:mean", "p=views:mean"], {}, /metric p is given twice/],
    [
      "an arm without a weight",
      perUnit,
      ["p=plays:mean"],
      { weights: new Map([["control", 1]]) },
      /"treated"/,
    ],
    [
      "a word for a number",
      "user,arm,v\na,control,1\nb,treated,many\n",
      ["v=v:mean"],
      {},
      /"v", row 2.*"many"/,
    ],
    [
      "not a number",
      "user,arm,v\na,control,NaN\nb,treated,1\n",
      ["v=v:mean"],
      {},
      /finite number, got "NaN"/,
    ],
    ["infinity", "user,arm,v\na,control,1\nb,treated,inf\n", ["v=v:mean"], {}, /finite number, got "inf"/],
    [
      "a proportion of 2",
      "user,arm,v\na,control,1\nb,treated,2\n",
      ["v=v:proportion"],
      {},
      /0, 1, true or false, got "2"/,
    ],
    ["an empty file", "", ["v=v:mean"], {}, /is empty/],
    ["only a header", "user,arm,v\n", ["v=v:mean"], {}, /has no rows/],
    [
      "a row with too many cells",
      "user,arm,v\na,control,1\nb,treated,2,3,4\n",
      ["v=v:mean"],
      {},
      /cannot read .*table/,
    ],
  ])("%s", async (_, text, metrics, changes, sentence) => {
    await expect(analyzeCsv(text, metrics, changes)).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringMatching(sentence),
    });
  });

  test("a file that is not there, and a folder", async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, "inner"));
    await expect(analyzeTable(inputOf(join(folder, "no.csv"), ["v=v:mean"]))).rejects.toThrow(/no such file/);
    await expect(analyzeTable(inputOf(join(folder, "inner"), ["v=v:mean"]))).rejects.toThrow(/is a folder/);
  });

  test("an arm column that names as many arms as there are rows", async () => {
    const rows = Array.from({ length: 200 }, (_, i) => `u${i},a${i},1`);
    const text = `user,arm,v\n${rows.join("\n")}\n`;
    await expect(analyzeCsv(text, ["v=v:mean"], { control: "a1" })).rejects.toThrow(/names 200 arms/);
  });

  test.each(["-1e308", "1e308"])(
    "values too large to add up give nulls and a sentence: 1e308 and %s",
    async (v) => {
      const text = `user,arm,v\na,control,1e308\nb,control,${v}\nc,treated,1\nd,treated,2\n`;
      const report = await analyzeCsv(text, ["v=v:mean"]);
      expect(report.metrics[0]?.comparisons[0]?.absolute).toBeNull();
      expect(report.warnings).toContainEqual(expect.stringContaining("values too large to add up"));
    },
  );

  test.each([
    ["plays", /expected NAME=COLUMN:mean/],
    ["=plays:mean", /expected NAME=COLUMN:mean/],
    ["p=plays", /expected NAME=COLUMN:mean/],
    ["p=plays:men", /unknown kind "men" \(did you mean "mean"/],
    ["p=plays:ratio", /a ratio needs two columns/],
  ])("the metric %j", (text, sentence) => {
    expect(() => parseTableMetric(text)).toThrow(sentence);
  });
});
