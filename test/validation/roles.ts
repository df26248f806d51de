/** Many metrics in one experiment, by their roles: of what is found, how much is not there. */
import type { Random } from "../../src/domain/clock.ts";
import { momentsOf } from "../../src/statistics/moments.ts";
import {
  adjustByRole,
  difference,
  type Estimate,
  estimateOfMean,
  notWorse,
  notWorseAndBetter,
  type OneSided,
  type Role,
} from "../../src/statistics/statistics.ts";
import { draws, given, normal } from "./draws.ts";
import { fivePercent, type Scenario } from "./scenario.ts";
import { armOf } from "./worlds.ts";

const section = "Many metrics, by role";

/** Metrics of the same units that share `common` of their variance, treated's higher by the effects. */
function arms(random: Random, units: number, effects: readonly number[], common: number): Estimate[][] {
  return [effects, effects.map(() => 0)].map((higher) => {
    const rows = draws(units, () => {
      const shared = normal(random);
      return higher.map((by) => by + Math.sqrt(common) * shared + Math.sqrt(1 - common) * normal(random));
    });
    return higher.map((_, metric) =>
      given(estimateOfMean(momentsOf(rows.map((row) => row[metric] as number)))),
    );
  });
}

/** Of each metric whether it is found, its family adjusted. */
function foundBy(random: Random, role: Role, effects: readonly number[], common: number): boolean[] {
  const [treated = [], control = []] = arms(random, 100, effects, common);
  const tests = treated.map((one, metric) => {
    const { pValue } = given(difference(one, control[metric] as Estimate, 0.05));
    return { role, pValue };
  });
  return adjustByRole(tests).map(({ pValue }) => (pValue ?? 1) < 0.05);
}

function anyFalse(found: readonly boolean[], effects: readonly number[]): boolean {
  return found.some((one, metric) => one && effects[metric] === 0);
}

/** Of one discovery, drawn from those of the run, whether it is false: that happens as often as the false discovery rate. */
function drawnIsFalse(random: Random, found: readonly boolean[], effects: readonly number[]): boolean {
  const discoveries = found.flatMap((one, metric) => (one ? [metric] : []));
  const drawn = discoveries[Math.floor(random.next() * discoveries.length)];
  return drawn !== undefined && effects[drawn] === 0;
}

const twoOfFour = [0.5, 0.5, 0, 0];
const fourOfTwelve = [0.6, 0.5, 0.4, 0.4, 0, 0, 0, 0, 0, 0, 0, 0];
const noneOfFour = [0, 0, 0, 0];

const quality = (size: number) => ({ goal: "increase", kind: "absolute", size }) as const;
const latency = { goal: "decrease", kind: "absolute", size: 0.2 } as const;

/** Quality, and a latency of which less is better, in spreads. */
function proven(random: Random, worse: number, faster: number, test: OneSided, units = 500): boolean {
  const arm = (by: number) => given(armOf(random, units, (next) => by + normal(next)));
  const slow = (by: number) => given(armOf(random, units, (next) => 5 + by + normal(next)));
  const statement = notWorseAndBetter(
    { treated: arm(-worse), control: arm(0), margin: quality(0.2) },
    [
      { name: "latency", goal: "decrease", treated: slow(-faster), control: slow(0) },
      { name: "cost", goal: "decrease", treated: slow(-faster), control: slow(0) },
    ],
    test,
  );
  return given(statement).verdict === "proven";
}

const once: OneSided = { alpha: 0.05, horizon: "fixed" };
const watched: OneSided = { alpha: 0.05, horizon: "always-valid", tunedUnits: 1_000 };

export const roles: readonly Scenario[] = [
  {
    id: "holm",
    section,
    what: "four primaries without effects by Holm, 100 units an arm: any found",
    runs: 6_000,
    questions: [
      { name: "independent", bar: fivePercent },
      { name: "sharing 80 % of their variance", bar: { kind: "at-most", share: 0.05 } },
    ],
    prepare: () => (random) =>
      [0, 0.8].map((common) => foundBy(random, "primary", noneOfFour, common).includes(true)),
  },
  {
    id: "holm-some",
    section,
    what: "four primaries, two with an effect: any of the other two found",
    runs: 6_000,
    questions: [
      { name: "independent", bar: { kind: "at-most", share: 0.05 } },
      { name: "sharing half of their variance", bar: { kind: "at-most", share: 0.05 } },
    ],
    prepare: () => (random) =>
      [0, 0.5].map((common) => anyFalse(foundBy(random, "primary", twoOfFour, common), twoOfFour)),
  },
  {
    id: "false-discovery",
    section,
    what: "twelve secondaries by Benjamini-Hochberg, four with an effect: share of what is found that is not there",
    runs: 6_000,
    questions: [
      // Of independent tests it is exactly the share of those without an effect times 5 % (Benjamini, Hochberg 1995).
      { name: "independent", bar: { kind: "is", share: (8 / 12) * 0.05 } },
      { name: "sharing half of their variance", bar: { kind: "at-most", share: 0.05 } },
    ],
    prepare: () => (random) =>
      [0, 0.5].map((common) =>
        drawnIsFalse(random, foundBy(random, "secondary", fourOfTwelve, common), fourOfTwelve),
      ),
  },
  {
    id: "guardrails",
    section,
    what: "three guardrails, one worse by exactly its margin, the others far from theirs: all pass",
    runs: 4_000,
    questions: [{ name: "all pass at 5 %", bar: fivePercent }],
    prepare: () => (random) => {
      const pass = [0.2, -0.3, -0.3].map((slower) => {
        const [treated, control] = [slower, 0].map((by) =>
          given(armOf(random, 200, (next) => by + normal(next))),
        );
        return given(notWorse(treated as Estimate, control as Estimate, latency, once)).low > 0;
      });
      return [pass.every(Boolean)];
    },
  },
  {
    id: "statement",
    section,
    what: "a distilled ranker: quality not worse than a margin of a fifth of a spread, and faster or cheaper, 500 units an arm",
    runs: 3_000,
    questions: [
      { name: "quality worse by exactly the margin, much faster: proven", bar: fivePercent },
      { name: "quality the same, neither faster nor cheaper: proven", bar: { kind: "at-most", share: 0.05 } },
      { name: "the same, always-valid: proven", bar: { kind: "at-most", share: 0.05 } },
      {
        name: "quality the same, faster and cheaper by a fifth of a spread: proven",
        bar: { kind: "at-least", share: 0.8 },
      },
    ],
    prepare: () => (random) => [
      proven(random, 0.2, 0.5, once),
      proven(random, 0, 0, once),
      proven(random, 0, 0, watched),
      proven(random, 0, 0.2, once),
    ],
  },
];
