/** The short form of `npm run validate:statistics`: a few hundred runs of the scenarios that take no time. Seeded, so exact. */
import { describe, expect, test } from "vitest";
import { drawBands } from "../validation/draw-bands.ts";
import { formatPage } from "../validation/page.ts";
import { bandOf, type Count, isKept, type Scenario } from "../validation/scenario.ts";
import { scenarios } from "../validation/scenarios.ts";
import { addCounts, simulator } from "../validation/simulate.ts";

const seed = "short form";

/** Cheap, and one of each kind of method. */
const short = [
  "gaussian",
  "few",
  "zero-inflated",
  "uneven",
  "ratio",
  "cuped",
  "three-arms",
  "strata",
  "absolute",
  "near-zero",
  "power-mean",
  "power-proportion",
  "srm-even",
  "interleaving",
  "p90",
  "strata-effect",
  "dilution",
  "looks-margin",
  "holm",
  "false-discovery",
  "guardrails",
  "segments",
  "novelty",
  "balance",
  "loss",
  "past",
];

function scenarioOf(id: string): Scenario {
  const scenario = scenarios.find((one) => one.id === id);
  if (scenario === undefined) throw new Error(`no scenario ${id}`);
  return scenario;
}

/** Of few runs: the band of what was seen reaches the bar. */
function agrees({ bar }: Scenario["questions"][number], count: Count): boolean {
  const [low, high] = bandOf(count);
  return bar.kind === "within" ? low <= bar.high && high >= bar.low : (isKept(bar, count) ?? true);
}

test.each(short)("%s comes out as often as promised", (id) => {
  const counts = simulator(scenarios, seed)({ id, from: 0, to: 300 });
  const seen = scenarioOf(id).questions.map((question, i) => ({
    question: question.name,
    count: counts[i],
    agrees: agrees(question, counts[i] as Count),
  }));
  expect(seen.filter((one) => !one.agrees)).toEqual([]);
  expect(seen.every(({ count }) => (count?.answered ?? 0) > 250)).toBe(true);
});

describe("the simulation", () => {
  test("counts the same, whoever has which part of the runs", () => {
    const whole = simulator(scenarios, seed)({ id: "few", from: 0, to: 200 });
    const [first, second] = [simulator(scenarios, seed), simulator(scenarios, seed)];
    const parts = addCounts(second({ id: "few", from: 70, to: 200 }), first({ id: "few", from: 0, to: 70 }));
    expect(parts).toEqual(whole);
    expect(simulator(scenarios, "another seed")({ id: "few", from: 0, to: 200 })).not.toEqual(whole);
  });

  test("has one scenario for each id, with a bar in each but those that show a mistake", () => {
    expect(new Set(scenarios.map(({ id }) => id)).size).toBe(scenarios.length);
    const without = scenarios.filter(({ questions }) => questions.every(({ bar }) => bar.kind === "shown"));
    expect(without).toEqual([]);
  });
});

describe("a bar", () => {
  test.each([
    [{ kind: "is", share: 0.05 }, 50, true],
    [{ kind: "is", share: 0.05 }, 90, false],
    [{ kind: "within", low: 0.035, high: 0.065 }, 66, false],
    [{ kind: "at-most", share: 0.05 }, 0, true],
    [{ kind: "at-most", share: 0.05 }, 90, false],
    [{ kind: "at-least", share: 0.95 }, 900, false],
    [{ kind: "surely-below", share: 0.1 }, 70, true],
    [{ kind: "surely-below", share: 0.1 }, 95, false],
    [{ kind: "surely-below", share: 0.1 }, 0, false],
    [{ kind: "shown" }, 500, undefined],
  ] as const)("%j, of 1,000 runs %i: %s", (bar, happened, kept) => {
    expect(isKept(bar, { happened, answered: 1_000 })).toBe(kept);
  });

  test("is missed where no run had an answer", () => {
    expect(isKept({ kind: "at-most", share: 0.05 }, { happened: 0, answered: 0 })).toBe(false);
  });
});

const withOneMissed = scenarios.map((scenario) => ({
  scenario,
  counts: scenario.questions.map(() => ({ happened: scenario.id === "few" ? 200 : 50, answered: 1_000 })),
}));

test("the picture has a line for each share of 5 %, and another colour for the one that is missed", () => {
  const few = withOneMissed.filter(({ scenario }) => ["gaussian", "few", "srm-found"].includes(scenario.id));
  const svg = drawBands(few);
  expect(svg).toContain("Gaussian values, 50 units an arm");
  expect(svg).not.toContain("52 to 48");
  expect(svg.match(/<circle[^>]*#d55e00/g)).toHaveLength(1);
  expect(svg.match(/<circle[^>]*#0072b2/g)).toHaveLength(1);
});

test("the page names each scenario, and what falls short", () => {
  const page = formatPage({ seed, seconds: 1, workers: 2, results: withOneMissed });
  for (const { what } of scenarios) expect(page).toContain(what);
  expect(page).toContain(
    "- Gaussian values, 50 units an arm: found in 20.0 % (16.2 % to 24.5 %), asked for 3.5 % to 6.5 %.",
  );
});
