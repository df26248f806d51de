import { expect, test } from "vitest";
import type { AnalysisReport } from "../../src/analysis/analysis.ts";
import type { DesignQuestions } from "../../src/designs/design-questions.ts";
import type { Experiment, Metric } from "../../src/domain/experiment.ts";
import type { Attributes } from "../../src/domain/feature.ts";
import type { Impression } from "../../src/domain/impression.ts";
import { userRequestId } from "../../src/domain/outcome.ts";
import type { LogRecord } from "../../src/domain/outcome-log.ts";
import { momentsOf } from "../../src/statistics/moments.ts";
import { dilutedEffect, heterogeneity, unitDenominator } from "../../src/statistics/statistics.ts";
import {
  completions,
  counterfactualOf,
  experimentOf,
  impressionOf,
  outcomeOf,
} from "../support/log-records.ts";
import { analysisOfRecords } from "../support/logged-files.ts";

const noon = Date.parse("2026-11-22T12:00:00.000Z");
const day = 86_400_000;
const experiment = experimentOf({ counterfactual: { share: 1, topK: 3 } });

function analysisOf(records: readonly LogRecord[], designs: DesignQuestions): Promise<AnalysisReport> {
  return analysisOfRecords(experiment, records, new Date(noon), designs);
}

const armOf = (i: number): "control" | "kd" => (i % 2 === 0 ? "control" : "kd");
const range = (length: number): number[] => Array.from({ length }, (_, i) => i);

function shownTo(unit: number, request: string, user: Attributes | undefined, at = noon): Impression {
  const impression = impressionOf(request, `u${unit}`, armOf(unit));
  return { ...impression, at, ...(user === undefined ? {} : { attributes: { user } }) };
}

/** As many completions of the request's items, however many. */
function did(request: string, times: number, occurredAt = noon + 1_000): LogRecord[] {
  return range(times).map((n) => ({ ...outcomeOf(`${request}-${n}`, request, "t1"), occurredAt }));
}

test("segments compare the arms within what was logged at a unit's first exposure", async () => {
  // DE gains one a unit, FR nothing; whoever has no country is a level of its own.
  const units = range(280).map((unit) => {
    const country = unit < 120 ? "DE" : unit < 240 ? "FR" : undefined;
    const gained = armOf(unit) === "kd" && country === "DE" ? 1 : 0;
    return { unit, country, value: ((unit >> 1) % 3) + gained };
  });
  const records = units.flatMap(({ unit, country, value }) => [
    shownTo(unit, `r${unit}`, country === undefined ? undefined : { country }),
    // What comes later does not move a unit.
    shownTo(unit, `later${unit}`, { country: "FR" }, noon + 60_000),
    ...did(`r${unit}`, value),
  ]);
  const { segments, warnings } = await analysisOf(records, { segments: [{ of: "user", name: "country" }] });
  const [report] = segments ?? [];
  expect(report).toMatchObject({
    metric: "completions",
    arm: "kd",
    attribute: "user.country",
    interaction: { degreesOfFreedom: 1 },
    levels: [
      { level: "DE", units: 120, absolute: { estimate: expect.closeTo(1, 12) } },
      { level: "FR", units: 120, absolute: { estimate: expect.closeTo(0, 12) } },
      { level: null, units: 40, contrast: null },
    ],
  });
  const effectOf = (country: string) => {
    const moments = ["control", "kd"].map((arm) =>
      momentsOf(
        units.filter((one) => one.country === country && armOf(one.unit) === arm).map(({ value }) => value),
      ),
    );
    const variance = moments.reduce((sum, { m2, count }) => sum + m2 / (count - 1) / count, 0);
    return { estimate: country === "DE" ? 1 : 0, standardError: Math.sqrt(variance) };
  };
  const expected = heterogeneity([effectOf("DE"), effectOf("FR")]);
  expect(expected.ok && report?.interaction?.pValue).toBeCloseTo(
    expected.ok ? expected.value.pValue : -1,
    12,
  );
  expect(report?.levels[0]?.contrast?.estimate).toBeCloseTo(1, 10);
  expect(warnings.filter((one) => one.includes("user.country"))).toEqual([]);
});

test("levels behind the largest twelve are one, and an attribute that nobody has says so", async () => {
  const records = range(90).flatMap((unit) => [
    shownTo(unit, `r${unit}`, { city: unit < 60 ? `c${unit % 12}` : `rare${unit}` }),
    ...did(`r${unit}`, unit % 2),
  ]);
  const { segments, warnings } = await analysisOf(records, {
    segments: [
      { of: "user", name: "city" },
      { of: "context", name: "it's" },
    ],
  });
  expect(segments?.[0]?.levels.map(({ level }) => level)).toHaveLength(13);
  expect(segments?.[0]?.levels.at(-1)).toMatchObject({ level: "(others)", units: 30 });
  expect(segments?.[1]).toMatchObject({
    attribute: "context.it's",
    interaction: null,
    levels: [{ level: null, units: 90 }],
  });
  expect(warnings.filter((one) => one.startsWith("context.it's"))).toEqual([
    "context.it's: no unit's first request has it (known: user.city).",
  ]);
});

test("an attribute that nobody has is told with the logged one whose name is near", async () => {
  const records = range(4).map((unit) =>
    shownTo(unit, `r${unit}`, unit === 0 ? { tenure: 3 } : { country: "DE", 'a"b': 1 }),
  );
  const warned = async (...names: string[]) =>
    (await analysisOf(records, { segments: names.map((name) => ({ of: "user", name }) as const) })).warnings;
  expect(await warned("contry", "tenur")).toEqual(
    expect.arrayContaining([
      `user.contry: no unit's first request has it (did you mean "user.country"?).`,
      `user.tenur: no unit's first request has it (did you mean "user.tenure"?).`,
    ]),
  );
  expect((await warned("country")).filter((one) => one.includes("first request"))).toEqual([]);
});

test("the thirteenth level of thirteen has its name, or is what nothing was said of", async () => {
  const levelsOf = async (thirteenth: Attributes) => {
    const records = range(77).flatMap((unit) =>
      shownTo(unit, `r${unit}`, unit === 0 ? thirteenth : { city: `c${unit % 12}` }),
    );
    const { segments } = await analysisOf(records, { segments: [{ of: "user", name: "city" }] });
    return segments?.[0]?.levels ?? [];
  };
  expect((await levelsOf({ city: "rare" })).at(-1)).toMatchObject({ level: "rare", units: 1 });
  const unsaid = await levelsOf({});
  expect(unsaid).toHaveLength(13);
  expect(unsaid.at(-1)).toMatchObject({ level: null, units: 1 });
});

test("numbers with many values are bins of as many units, by their range, and the few others are told apart", async () => {
  // 0 to 99 twice each, 7 for half as many units again, and some who say nothing or no number.
  const tenureOf = (unit: number) =>
    unit < 200 ? unit % 100 : unit < 300 ? 7 : unit < 305 ? "5d" : undefined;
  const records = range(325).flatMap((unit) => {
    const days = tenureOf(unit);
    return [
      shownTo(unit, `r${unit}`, days === undefined ? undefined : { days, even: unit % 2 === 0 }),
      ...did(`r${unit}`, armOf(unit) === "kd" ? 2 : 1),
    ];
  });
  const { segments } = await analysisOf(records, {
    segments: [
      { of: "user", name: "days" },
      { of: "user", name: "even" },
    ],
  });
  // Of 300 units 60 each, but that those of one number stay together: in the bin of the middle one.
  const numbers = range(300)
    .map((unit) => tenureOf(unit) as number)
    .sort((a, b) => a - b);
  const binOf = (value: number) =>
    Math.floor((5 * (numbers.indexOf(value) + numbers.lastIndexOf(value) + 1)) / 2 / numbers.length);
  const bins = [...Map.groupBy(numbers, binOf)].sort(([a], [b]) => a - b);
  expect(segments?.[0]?.levels.map(({ level, units }) => [level, units])).toEqual([
    ...bins.map(([, of]) => [`${Math.min(...of)} to ${Math.max(...of)}`, of.length]),
    ["(no number)", 5],
    [null, 20],
  ]);
  expect(bins.map(([, of]) => of.length)).toEqual([14, 106, 60, 60, 60]);
  expect(segments?.[1]?.levels.map(({ level }) => level)).toEqual(["true", "false", null]);
});

test("activity is what users did in the 14 days before their first exposure, whatever covariates look at", async () => {
  const records = range(160).flatMap((unit) => {
    const times = unit % 4;
    const outcomesAt = (at: number, name: string, count: number, type = "completion"): LogRecord[] =>
      range(count).map((n) => ({
        ...outcomeOf(`${name}${unit}-${n}`, userRequestId(`u${unit}`), "", type),
        occurredAt: at,
      }));
    return [
      ...outcomesAt(noon - 13 * day, "before", times),
      ...outcomesAt(noon - 15 * day, "long ago", 3),
      ...outcomesAt(noon - day, "of no metric", 2, "skip"),
      shownTo(unit, `r${unit}`, undefined),
      ...outcomesAt(noon + 1_000, "after", 1 + (unit % 3)),
    ];
  });
  const asked = { segments: [{ of: "activity" } as const] };
  const analysedWith = (covariate: string, designs: DesignQuestions, unit: "user" | "request" = "user") =>
    analysisOfRecords(
      { ...experiment, unit, metrics: [{ ...completions, covariate }] },
      records,
      new Date(noon),
      designs,
    );
  for (const covariate of ["none", "7d", "20d"]) {
    const report = await analysedWith(covariate, asked);
    expect(report.segments?.[0]).toMatchObject({ attribute: "activity" });
    expect(report.segments?.[0]?.levels.map(({ level, units }) => [level, units])).toEqual(
      ["0", "1", "2", "3"].map((level) => [level, 40]),
    );
    expect(report.metrics).toEqual((await analysedWith(covariate, {})).metrics);
  }
  await expect(analysedWith("none", asked, "request")).rejects.toThrow("activity: only users have a past");
});

test("novelty follows the units that were there on all days, and finds an effect that fades", async () => {
  // kd gains 4, 3, 2, 1 on days 0 to 3; late units are not followed, and have no say.
  const records = range(64).flatMap((unit) => {
    const late = unit >= 48;
    const first = noon + (late ? 3 * day : 0);
    const days = late ? [0] : [0, 1, 2, 3];
    return [
      shownTo(unit, `r${unit}`, undefined, first),
      ...days.flatMap((at) => {
        const times = ((unit >> 1) % 3) + (armOf(unit) === "kd" ? (late ? 9 : 4 - at) : 0);
        return range(times).map((n) => ({
          ...outcomeOf(`o${unit}-${at}-${n}`, userRequestId(`u${unit}`), ""),
          occurredAt: first + at * day + 60_000,
        }));
      }),
    ];
  });
  const end = shownTo(2, "end", undefined, noon + 4 * day);
  const { novelty } = await analysisOf([...records, end], { novelty: true });
  expect(novelty?.[0]).toMatchObject({ metric: "completions", arm: "kd", units: 48 });
  expect(novelty?.[0]?.days.map(({ day: at, estimate }) => [at, estimate])).toEqual(
    [4, 3, 2, 1].map((gain, at) => [at, expect.closeTo(gain, 12)]),
  );
  expect(novelty?.[0]?.trend).toBeNull();
  const short = await analysisOf(records.slice(0, 20), { novelty: true });
  expect(short.novelty).toEqual([]);
  expect(short.warnings.join()).toContain("less than two days");
});

test("a trigger analysis reads the requests whose lists differ, and says what it is of all of them", async () => {
  // Of every unit's two requests one was compared for the first half of units: differing for every third.
  const units = range(300).map((unit) => ({
    unit,
    differs: unit % 3 === 0,
    value: ((unit >> 2) % 2) + (armOf(unit) === "kd" && unit % 3 === 0 ? 1 : 0),
    same: unit % 5,
  }));
  const records = units.flatMap(({ unit, differs, value, same }) => {
    const [arm, other] = armOf(unit) === "kd" ? ["kd", "control"] : ["control", "kd"];
    const compared = { arm, other, otherIds: ["t1", "t2", "t3"], topK: 3 };
    return [
      shownTo(unit, `r${unit}`, undefined),
      counterfactualOf(`r${unit}`, { ...compared, agreeing: differs ? 1 : 3 }),
      ...did(`r${unit}`, value),
      shownTo(unit, `s${unit}`, undefined),
      counterfactualOf(`s${unit}`, { ...compared, agreeing: 3 }),
      ...did(`s${unit}`, same),
      // Not compared: it says nothing here.
      shownTo(unit, `n${unit}`, undefined),
      ...did(`n${unit}`, 7),
    ];
  });
  const { trigger } = await analysisOf(records, { trigger: true });
  const [comparison] = trigger?.comparisons ?? [];
  expect(comparison).toMatchObject({
    arm: "kd",
    versus: "control",
    requests: { compared: 600, differing: 100 },
    units: [
      { arm: "control", compared: 150, triggered: 50 },
      { arm: "kd", compared: 150, triggered: 50 },
    ],
    srm: { ok: true },
  });
  const valuesOf = (arm: string, differs: boolean) =>
    units.filter((one) => armOf(one.unit) === arm && one.differs === differs);
  const meanOf = (arm: string) => momentsOf(valuesOf(arm, true).map(({ value }) => value)).mean;
  const [metric] = comparison?.metrics ?? [];
  expect(metric?.triggered?.absolute.estimate).toBeCloseTo(meanOf("kd") - meanOf("control"), 12);
  expect(metric?.arms.map(({ arm, units, mean }) => ({ arm, units, mean }))).toEqual([
    { arm: "control", units: 50, mean: expect.closeTo(meanOf("control"), 12) },
    { arm: "kd", units: 50, mean: expect.closeTo(meanOf("kd"), 12) },
  ]);
  const side = (arm: string) => ({
    triggered: unitDenominator(momentsOf(valuesOf(arm, true).map(({ value, same }) => value + same))),
    others: unitDenominator(momentsOf(valuesOf(arm, false).map(({ value, same }) => value + same))),
  });
  const diluted = dilutedEffect(side("kd"), side("control"), 0.05);
  expect(diluted.ok && metric?.diluted?.triggerRate).toBeCloseTo(1 / 3, 12);
  expect(metric?.diluted?.absolute.ciLow).toBeCloseTo(
    diluted.ok ? diluted.value.absolute.ciLow : Number.NaN,
    12,
  );
});

test("an arm that moves who is triggered, and lists compared for fewer places than shown, are warned of", async () => {
  const records = range(200).flatMap((unit) => {
    const [arm, other] = armOf(unit) === "kd" ? ["kd", "control"] : ["control", "kd"];
    const differs = arm === "kd" || unit % 8 === 0;
    return [
      shownTo(unit, `r${unit}`, undefined),
      counterfactualOf(`r${unit}`, { arm, other, otherIds: ["t1", "t2"], agreeing: differs ? 0 : 2 }),
    ];
  });
  const { trigger, warnings } = await analysisOf(records, { trigger: true });
  expect(trigger?.comparisons[0]?.srm.ok).toBe(false);
  expect(warnings.join()).toContain("the arm itself moves who is triggered");
  expect(warnings.join()).toContain("75 of 200 requests were compared for fewer places");
  const none = await analysisOf([shownTo(0, "r0", undefined)], { trigger: true });
  expect(none.warnings.join()).toContain("no request of it or control was compared");
});

test("calibration finds a mean of many units right, and a metric of a few units of thousands not to be judged or wrong", async () => {
  const records = range(600).flatMap((unit) => [
    shownTo(unit, `r${unit}`, undefined),
    ...did(`r${unit}`, (unit * 7_919) % 11),
  ]);
  const seen: number[] = [];
  const { calibration } = await analysisOf(records, { calibrate: { onProgress: (done) => seen.push(done) } });
  expect(calibration).toMatchObject({ salts: 1_000, units: 600, of: 600, ok: true });
  expect(calibration?.histogram.reduce((sum, count) => sum + count, 0)).toBe(1_000);
  expect(Math.abs((calibration?.metrics[0]?.falsePositives ?? 1) - 0.05)).toBeLessThan(0.021);
  expect(seen.at(-1)).toBe(1_000);
  const rare = await analysisOf(
    [...range(300).map((unit) => shownTo(unit, `r${unit}`, undefined)), ...did("r1", 1)],
    {
      calibrate: {},
    },
  );
  expect(rare.calibration).toMatchObject({ ok: null, uniformity: null });
  expect(rare.warnings.join()).toContain("Calibration of completions, kd: not judged");
});

test("calibration is of the test that decides: after CUPED, and by the plan", async () => {
  const seconds = { ...completions, outcome: "play", aggregate: "sum" } as const;
  const noiseOf = (unit: number): number => (Math.sin(unit * 12.9898) * 43_758.5453) % 1;
  const records = range(400).flatMap((unit) => {
    const before = 10 * noiseOf(unit + 1_000);
    return [
      shownTo(unit, `r${unit}`, undefined),
      {
        ...outcomeOf(`before${unit}`, userRequestId(`u${unit}`), "", "play", before),
        occurredAt: noon - day,
      },
      outcomeOf(`o${unit}`, `r${unit}`, "t1", "play", before + 5 * noiseOf(unit)),
    ];
  });
  const calibrated = async (plan: Experiment["plan"], metric: Metric = seconds) => {
    const changed = { ...experiment, plan, metrics: [metric] };
    const { calibration } = await analysisOfRecords(changed, records, new Date(noon), { calibrate: {} });
    return calibration?.metrics[0];
  };
  const [adjusted, plain] = [
    await calibrated({ kind: "fixed", units: 400 }),
    await calibrated({ kind: "always-valid" }, { ...seconds, covariate: "none" }),
  ];
  expect([adjusted?.test, plain?.test]).toEqual(["cuped", "plain"]);
  expect(adjusted?.histogram).not.toEqual(plain?.histogram);
  for (const one of [adjusted, plain]) expect(one?.uniformity?.pValueAdjusted).toBeGreaterThan(0.01);
  expect(adjusted?.shownByPlan).toBe(adjusted?.falsePositives);
  expect(plain?.shownByPlan).toBeLessThan(plain?.falsePositives ?? 0);
});

test("without questions a report has none of these", async () => {
  const report = await analysisOf([shownTo(0, "r0", undefined)], {});
  for (const section of ["segments", "novelty", "trigger", "calibration", "offPolicy"])
    expect(report).not.toHaveProperty(section);
  expect(report.metrics[0]?.metric).toBe(completions.id);
});

test("a policy may give an arm next to nothing", async () => {
  const records = range(400).flatMap((unit) => [
    shownTo(unit, `r${unit}`, undefined),
    ...did(`r${unit}`, unit % 3),
  ]);
  const weights = new Map([
    ["control", 1 - 1e-7],
    ["kd", 1e-7],
  ]);
  const { offPolicy } = await analysisOf(records, { policies: [weights, new Map([["control", 1]])] });
  const [nearly, wholly] = offPolicy?.policies.map(({ metrics }) => metrics[0]?.snips?.estimate) ?? [];
  expect(wholly).toBeGreaterThan(0);
  expect(nearly).toBeCloseTo(wholly as number, 5);
});
