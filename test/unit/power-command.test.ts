import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Experiment } from "../../src/domain/experiment.ts";
import type { Impression } from "../../src/domain/impression.ts";
import { openOutcomeLog } from "../../src/outcomes/outcomes.ts";
import { openRegistry } from "../../src/registry/registry.ts";
import {
  completions,
  counterfactualOf,
  experimentOf,
  impressionOf,
  outcomeOf,
} from "../support/log-records.ts";
import { setlistHere } from "../support/setlist-command.ts";
import references from "../support/statistics-references.json" with { type: "json" };
import { temporaryFolder } from "../support/temporary-folder.ts";

/** The plan that `setlist power --json` prints. */
async function plan(...args: string[]) {
  const said = await setlistHere("power", ...args, "--json");
  expect(said.code).toBe(0);
  return JSON.parse(said.stdout);
}

const unit = ["--mean", "10", "--sd", "1"];

describe("setlist power", () => {
  test("has statsmodels' sample sizes", async () => {
    for (const { effect, alpha, power, perArm } of references.sampleSize.slice(0, 6)) {
      const flags = ["--effect", String(effect), "--alpha", String(alpha), "--power", String(power)];
      const { asked, answer } = await plan(...unit, ...flags);
      expect(asked).toBe("sample-size");
      expect(answer).toMatchObject({ control: Math.ceil(perArm), treated: Math.ceil(perArm) });
      expect(answer.power).toBeGreaterThanOrEqual(power - 1e-9);
    }
  });

  test("has statsmodels' power, two-sided and of non-inferiority", async () => {
    const known = references.power.filter(({ effect, perArm }) => effect > 0 && perArm < 1e6).slice(0, 40);
    for (const one of known) {
      const units = ["--units", String(2 * one.perArm), "--effect", String(one.effect)];
      // A margin of next to nothing: the one-sided test of "better".
      const side = one.oneSided ? ["--margin", "1e-12"] : [];
      const { asked, answer } = await plan(...unit, ...units, ...side, "--alpha", String(one.alpha));
      expect(asked).toBe("power");
      expect(Math.abs(answer.power / one.power - 1)).toBeLessThan(1e-8);
    }
  });

  test("finds with as many units what needs that many units", async () => {
    const needed = await plan("--proportion", "0.1", "--effect", "10%");
    expect(needed.answer.effect.absolute).toBeCloseTo(0.01, 12);
    const found = await plan("--proportion", "0.1", "--units", String(needed.answer.units));
    expect(found.asked).toBe("detectable-effect");
    expect(found.answer.effect.relative).toBeCloseTo(0.1, 3);
  });

  test("takes less with CUPED, and more with Bonferroni, looks, a small arm, or few units that the change can touch", async () => {
    const units = async (...flags: string[]): Promise<number> =>
      (await plan(...unit, "--effect", "0.1", ...flags)).answer.units;
    const plain = await units();
    expect(plain).toBe(3_142);
    expect((await units("--variance-reduction", "0.5")) / plain).toBeCloseTo(0.5, 2);
    expect((await units("--trigger-rate", "0.25")) / plain).toBeCloseTo(4, 2);
    expect((await units("--trigger-rate", "0.25", "--analysed", "everybody")) / plain).toBeCloseTo(16, 1);
    // (z(0.025 / 4) + z(0.2))^2 over (z(0.025) + z(0.2))^2.
    expect((await units("--comparisons", "4")) / plain).toBeCloseTo(1.42, 2);
    // 1 / (4 * 0.9 * 0.1).
    expect((await units("--weights", "9,1")) / plain).toBeCloseTo(2.78, 2);
    // Of several arms the smallest has to be large enough.
    const { answer } = await plan(...unit, "--effect", "0.1", "--weights", "2,1,4");
    expect(answer.treated).toBe(Math.ceil(answer.units / 7 - 1e-6));
    // Five looks cost little with O'Brien-Fleming spending, a fifth with Pocock's; looking at any time the most.
    expect((await units("--monitoring", "group-sequential", "--looks", "5")) / plain).toBeCloseTo(1.02, 2);
    const pocock = ["--monitoring", "group-sequential", "--spending", "pocock"];
    expect((await units(...pocock)) / plain).toBeCloseTo(1.21, 1);
    expect((await units("--monitoring", "always-valid")) / plain).toBeGreaterThan(1.7);
  });

  test("plans ratios and quantiles from the figures of a report", async () => {
    const report = ["--standard-error", "0.002", "--of-units", "8000"];
    const ratio = await plan("--ratio", "0.3", ...report, "--units", "16000", "--goal", "decrease");
    expect(ratio.baseline).toMatchObject({ kind: "ratio", unitSpread: 0.002 * Math.sqrt(8_000) });
    // 2.8 standard errors of the difference, downwards.
    expect(ratio.answer.effect.absolute / (-2.8016 * 0.002 * Math.SQRT2)).toBeCloseTo(1, 3);
    const quantile = await plan("--quantile", "0.3", ...report, "--units", "16000", "--goal", "decrease");
    expect(quantile.answer).toEqual(ratio.answer);
  });

  test("needs more units where the effect multiplies every value, and says so", async () => {
    const latency = ["--quantile", "200", "--sd", "300", "--effect", "10%"];
    const plain = await plan(...latency);
    const multiplied = await plan(...latency, "--effect-multiplies");
    // Treated's variance is 1.21 of control's.
    expect(multiplied.answer.units / plain.answer.units).toBeCloseTo(2.21 / 2, 2);
    expect([plain.plan.effectMultiplies, multiplied.plan.effectMultiplies]).toEqual([false, true]);
    const said = await setlistHere("power", ...latency, "--effect-multiplies");
    expect(said.code).toBe(0);
    expect(said.stdout).toContain("the effect multiplies every value: treated's spread grows with it");
  });

  test("shows the margin that is proven, where one is asked for", async () => {
    const { answer, curve, plan: planned } = await plan(...unit, "--effect", "0", "--margin", "1%");
    expect(planned.margin).toBeCloseTo(0.1, 12);
    const at = curve.find(({ units }: { units: number }) => units === answer.units);
    expect(at.provableMargin).toBeCloseTo(0.1, 4);
    expect(at.detectable).toBeNull();
  });

  test("counts the days until enough new units have come", async () => {
    const flags = [...unit, "--units-per-day", "1000,500,100"];
    // 1,000, 500, then 17 days of 100.
    expect((await plan(...flags, "--effect", "0.1")).answer.days).toBe(19);
    expect((await plan(...flags, "--days", "4")).answer.units).toBe(1_700);
  });

  test("prints a sentence, the plan and a curve for people", async () => {
    const arms = ["--arms", "3", "--variance-reduction", "0.3", "--trigger-rate", "0.5"];
    const said = await setlistHere("power", ...unit, "--effect", "1%", ...arms, "--units-per-day", "500");
    expect(said.code).toBe(0);
    expect(said.stdout).toMatch(
      /^[\d,]+ units, \d+ days, to find \+1\.00 % \(\+0\.1\), with 80\.0 % power\.\n/,
    );
    expect(said.stdout).toContain("0.025 for each of 2 comparisons (Bonferroni)");
    expect(said.stdout).toContain("CUPED takes away 30.0 % of the variance");
    expect(said.stdout).toContain("50.0 % of the units triggered; only they are analysed");
    expect(said.stdout).toMatch(/▸ [\d,]+ │ +\d+ │ █{19}/);
  });

  test("spends at the looks what is one comparison's part of alpha", async () => {
    const looks = [...unit, "--effect", "0.1", "--monitoring", "group-sequential"];
    const boundsOf = async (...flags: string[]) => (await plan(...looks, ...flags)).plan.monitoring.bounds;
    expect(await boundsOf("--comparisons", "4")).toEqual(await boundsOf("--alpha", "0.0125"));
  });

  test("names the bounds of a group-sequential design, two-sided or of a margin", async () => {
    const looks = ["--monitoring", "group-sequential", "--looks", "2"];
    const said = await setlistHere("power", ...unit, "--effect", "1%", ...looks);
    expect(said.code).toBe(0);
    // Lan and DeMets' O'Brien-Fleming type at half and all of the information.
    expect(said.stdout).toContain("stop where |effect / SE| is above 2.96, 1.97;");
    const again = await setlistHere("power", ...unit, "--effect", "0", "--margin", "1%", ...looks);
    expect(again.code).toBe(0);
    expect(again.stdout).toContain("(effect + margin) / SE");
    expect(again.stdout).toContain("alpha 0.05 one-sided");
  });

  test("warns where the normal distribution is far", async () => {
    expect((await plan("--proportion", "0.001", "--units", "4000")).warnings).toEqual([
      "An arm expects fewer than 10 events: the power is a rough figure.",
    ]);
    expect((await plan(...unit, "--units", "60")).warnings[0]).toContain("fewer than 50 analysed units");
  });

  test.each([
    [["--effect", "1%"], "expected one baseline"],
    [["--mean", "1", "--proportion", "0.1", "--effect", "1%"], "expected one baseline"],
    [["--mean", "1", "--effect", "1%"], "--mean needs its spread"],
    [
      ["--ratio", "1", "--standard-error", "1", "--effect", "1%"],
      "--standard-error and --of-units go together",
    ],
    [["--proportion", "0.1", "--sd", "1", "--effect", "1%"], "--sd and --standard-error go with"],
    [["--proportion", "0.1", "--effect", "1%", "--effect-multiplies"], "--effect-multiplies: a proportion's"],
    [[...unit], "expected --effect (how many units?)"],
    [[...unit, "--effect", "lots"], "expected a number such as 0.02"],
    [[...unit, "--units", "10", "--days", "3"], "--units or --days, not both"],
    [[...unit, "--days", "3"], "--days needs --units-per-day"],
    [[...unit, "--effect", "1", "--looks", "3"], "go with --monitoring group-sequential"],
    [[...unit, "--effect", "1", "--arms", "1"], "at least 2"],
    [[...unit, "--effect", "1", "--weights", "1,0"], "two or more weights above 0"],
    [[...unit, "--effect", "1", "--power", "0.01"], "expected more than --alpha"],
    [["--experiment", "a", "--effect", "1"], "--experiment and --metric go together"],
    [[...unit, "--data-dir", "d", "--effect", "1"], "--data-dir goes with --experiment"],
    [[...unit, "--effct", "1"], "--effect"],
  ])("%j is wrong usage: exit 2", async (args, sentence) => {
    const said = await setlistHere("power", ...args);
    expect(said.code).toBe(2);
    expect(said.stderr).toContain(sentence);
    expect(said.stdout).toBe("");
  });

  test.each([
    [["--proportion", "0.99", "--effect", "5%"], "out of reach"],
    [[...unit, "--effect", "0"], "expected one above 0"],
    [[...unit, "--effect", "-2%", "--margin", "1%"], "no more harm than the margin"],
    [["--mean", "0", "--sd", "1", "--effect", "1%"], "a percentage of a baseline of 0"],
  ])("%j cannot be had: exit 1 with the reason", async (args, sentence) => {
    const said = await setlistHere("power", ...args);
    expect(said.code).toBe(1);
    expect(said.stderr).toContain(sentence);
  });
});

describe("setlist power --experiment", () => {
  const day = 86_400_000;
  const noon = Date.parse("2026-11-22T12:00:00.000Z");
  const clock = { now: () => noon, monotonic: () => 0 };

  /** Control's units have 0, 1, 2 or 3 completions; of 40 units in each arm 20, 10, 5 and 5 come on four days. */
  async function dataDirectory({
    changes = {},
    kdUnits = 40,
    differing = 0,
    daysApart = 1,
  }: {
    readonly changes?: Partial<Experiment>;
    readonly kdUnits?: number;
    /** Of each arm, the first so many units whose lists differ. */
    readonly differing?: number;
    readonly daysApart?: number;
  } = {}): Promise<string> {
    const dataDir = await temporaryFolder();
    const metrics = [
      { ...completions, minimumEffect: 0.2 },
      { ...completions, id: "also", outcome: "click" },
    ];
    const registry = openRegistry({ dataDir, clock });
    await registry.write("tests", () => ({
      experiments: [{ document: { ...experimentOf({ metrics, ...changes }), revision: 1 }, what: "created" }],
    }));
    await registry.close();
    const log = await openOutcomeLog({
      directory: join(dataDir, "log"),
      clock,
      segmentBytesMax: 1 << 20,
      syncIntervalMs: 5,
    });
    const logged = (["control", "kd"] as const).flatMap((arm) =>
      Array.from({ length: arm === "kd" ? kdUnits : 40 }, async (_, i) => {
        const at = noon + day * daysApart * (i < 20 ? 0 : i < 30 ? 1 : i < 35 ? 2 : 3);
        const impression: Impression = { ...impressionOf(`r-${arm}-${i}`, `${arm}-${i}`, arm), at };
        await log.appendImpression(impression);
        if (changes.counterfactual !== undefined) {
          const other = arm === "kd" ? "control" : "kd";
          const agreeing = i < differing ? 1 : 3;
          const ids = { topK: 3, otherIds: ["t1", "t2", "t3"] };
          await log.appendShadow(counterfactualOf(impression.requestId, { arm, other, agreeing, ...ids }));
        }
        const outcomes = ["t1", "t2", "t3"].map((item) =>
          outcomeOf(`o-${arm}-${i}-${item}`, `r-${arm}-${i}`, item),
        );
        await log.appendOutcomes(outcomes.slice(0, i % 4));
      }),
    );
    await Promise.all(logged);
    await log.close();
    return dataDir;
  }

  test("takes the baseline, the split, the comparisons and the arrivals from the log", async () => {
    const dataDir = await dataDirectory();
    const from = ["--experiment", "home-kd", "--metric", "completions", "--data-dir", dataDir];
    const { baseline, plan: planned, answer, warnings } = await plan(...from, "--effect", "10%");
    // Ten units each of 0, 1, 2 and 3: mean 1.5, sum of squares 10 (2.25 + 0.25) 2 = 50 over 39.
    expect(baseline).toMatchObject({
      kind: "mean",
      value: 1.5,
      from: { experiment: "home-kd", metric: "completions", units: 40 },
    });
    expect(baseline.unitSpread).toBeCloseTo(Math.sqrt(50 / 39), 12);
    expect(planned).toMatchObject({
      comparisons: 2,
      shares: [0.5, 0.5],
      goal: "increase",
      varianceReduction: 0,
      monitoring: { kind: "always-valid" },
    });
    // 40 and 20 units on the first days, then 10 a day; the last day is not over.
    expect(answer.days).toBe(3 + Math.ceil((answer.units - 70) / 10));
    expect(warnings).toEqual([
      "The baseline is that of 40 units: the spread, and all that follows, is uncertain.",
    ]);
  });

  test("looks as the experiment's plan does, where the flags do not say", async () => {
    const looks = [0.3, 1];
    const planned = { kind: "group-sequential", units: 400, looks, spending: "pocock" } as const;
    const dataDir = await dataDirectory({ changes: { plan: planned } });
    const from = ["--experiment", "home-kd", "--metric", "completions", "--data-dir", dataDir];
    expect((await plan(...from)).plan.monitoring).toMatchObject({
      kind: "group-sequential",
      fractions: looks,
      spending: "pocock",
    });
    expect((await plan(...from, "--monitoring", "fixed")).plan.monitoring).toEqual({ kind: "fixed" });
  });

  test("foretells no days by a log that has no whole day", async () => {
    const dataDir = await dataDirectory({ daysApart: 0 });
    const from = ["--experiment", "home-kd", "--metric", "completions", "--data-dir", dataDir];
    const { answer, curve, warnings } = await plan(...from, "--effect", "10%");
    expect([answer, ...curve].map(({ days }) => days)).toEqual([answer, ...curve].map(() => null));
    const unknown = "Days unknown: the log has no whole day; give --units-per-day.";
    expect(warnings).toContain(unknown);
    const given = await plan(...from, "--effect", "10%", "--units-per-day", "80");
    expect(given.answer.days).toBe(Math.ceil(given.answer.units / 80));
    expect(given.warnings).not.toContain(unknown);
    const said = await setlistHere("power", ...from, "--days", "3");
    expect(said).toMatchObject({ code: 2, stderr: expect.stringContaining("a log that has a whole day") });
  });

  test("asks for the metric's own minimum effect where no other is given", async () => {
    const dataDir = await dataDirectory();
    const of = (metric: string) => ["--experiment", "home-kd", "--metric", metric, "--data-dir", dataDir];
    const { asked, answer } = await plan(...of("completions"));
    expect(asked).toBe("sample-size");
    expect(answer.effect.relative).toBeCloseTo(0.2, 12);
    expect((await plan(...of("completions"), "--units", "500")).asked).toBe("detectable-effect");
    const said = await setlistHere("power", ...of("also"));
    expect(said.code).toBe(2);
    expect(said.stderr).toContain("expected --effect (how many units?)");
    expect(said.stderr).toContain("the metric has no minimumEffect");
  });

  test("does not plan by an experiment whose split is broken", async () => {
    const dataDir = await dataDirectory({ kdUnits: 5 });
    const from = ["--experiment", "home-kd", "--metric", "completions", "--data-dir", dataDir];
    const said = await setlistHere("power", ...from);
    expect(said.code).toBe(1);
    expect(said.stderr).toContain("home-kd is not healthy");
    expect(said.stderr).toContain("Split of the phase: control 40, kd 5");
    expect(said.stdout).toBe("");
  });

  test("plans nothing by an interleaving, which has no control", async () => {
    const dataDir = await dataDirectory({ changes: { kind: "interleave" } });
    const from = ["--experiment", "home-kd", "--metric", "completions", "--data-dir", dataDir];
    const said = await setlistHere("power", ...from);
    expect(said.code).toBe(1);
    expect(said.stderr).toContain("home-kd is an interleaving");
  });

  test("takes the trigger rate, and the spread of the triggered, from logged counterfactuals", async () => {
    const counterfactual = { share: 1, topK: 3 };
    const dataDir = await dataDirectory({ changes: { counterfactual }, differing: 8 });
    const from = ["--experiment", "home-kd", "--metric", "completions", "--data-dir", dataDir];
    const { baseline, plan: planned } = await plan(...from, "--trigger-rate", "log");
    expect(planned).toMatchObject({ triggerRate: 0.2, varianceReduction: 0 });
    // Two units each of 0, 1, 2 and 3.
    expect(baseline).toMatchObject({ value: 1.5, from: { units: 8 } });
    expect(baseline.unitSpread).toBeCloseTo(Math.sqrt(10 / 7), 12);
    const all = await plan(...from, "--trigger-rate", "log", "--analysed", "everybody");
    expect(all.plan).toMatchObject({ triggerRate: 0.2, analysed: "everybody" });
    expect(all.baseline).toMatchObject({ from: { units: 40 } });
  });

  test("refuses a trigger rate that the log does not tell", async () => {
    const of = async (options: Parameters<typeof dataDirectory>[0]) => {
      const dataDir = await dataDirectory(options);
      const from = ["--experiment", "home-kd", "--metric", "completions", "--data-dir", dataDir];
      return setlistHere("power", ...from, "--trigger-rate", "log");
    };
    const noRecords = "home-kd logs no counterfactuals";
    expect(await of({})).toMatchObject({ code: 1, stderr: expect.stringContaining(noRecords) });
    const none = "has no request for which lists differ";
    expect(await of({ changes: { counterfactual: { share: 1, topK: 3 } } })).toMatchObject({
      ...{ code: 1, stderr: expect.stringContaining(none) },
    });
    const said = await setlistHere("power", ...unit, "--effect", "1", "--trigger-rate", "log");
    expect(said.code).toBe(2);
    expect(said.stderr).toContain("--trigger-rate log goes with --experiment");
  });

  test("names the nearest metric for one that is not there", async () => {
    const dataDir = await dataDirectory();
    const from = ["--experiment", "home-kd", "--metric", "completion", "--data-dir", dataDir];
    const said = await setlistHere("power", ...from, "--effect", "10%");
    expect(said.code).toBe(1);
    expect(said.stderr).toContain('did you mean "completions"?');
  });
});
