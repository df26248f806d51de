/** Comparisons without arms: interleaved lists, and what another policy would have earned. */
import type { Random } from "../../src/domain/clock.ts";
import { criticalT } from "../../src/statistics/distributions.ts";
import {
  type Answer,
  alwaysValidPreference,
  alwaysValidSign,
  type Estimate,
  type InterleavingSums,
  noInterleavingSums,
  offPolicy,
  preferenceTest,
  signTest,
} from "../../src/statistics/statistics.ts";
import {
  type LoggedDecision,
  mergeOffPolicySums,
  noOffPolicySums,
  offPolicySumsOf,
} from "../support/logged-decisions.ts";
import { interleavingSums, mergeInterleavingSums, type UnitCredit } from "../support/unit-credits.ts";
import { draws, normal, successes } from "./draws.ts";
import { fivePercent, type Scenario } from "./scenario.ts";

/** Each unit clicks a few times, and each click is the first arm's with a probability around `share`. */
function creditOf(random: Random, share: number): UnitCredit {
  const clicks = Math.floor(6 * random.next());
  const own = Math.min(1, Math.max(0, share + 0.2 * normal(random)));
  const first = successes(random, clicks, own);
  return { first, second: clicks - first, slots: 20, competitive: 8 };
}

function everPreferred(random: Random): (boolean | undefined)[] {
  let sums: InterleavingSums = noInterleavingSums;
  let [sign, preference, peeked] = [false, false, false];
  for (let look = 1; look <= 200; look++) {
    sums = mergeInterleavingSums(sums, interleavingSums(draws(10, () => creditOf(random, 0.5))));
    const [signed, preferred, once] = [
      alwaysValidSign(sums, 0.05),
      alwaysValidPreference(sums, 0.05, 1_500),
      preferenceTest(sums, 0.05),
    ];
    sign ||= signed.ok && signed.value.pValue < 0.05;
    preference ||= preferred.ok && preferred.value.pValue < 0.05;
    peeked ||= once.ok && once.value.pValue < 0.05;
  }
  return [sign, preference, peeked];
}

const actions = 4;
/** What an action earns with a context in [0, 1]. */
const worth = (context: number, action: number): number => 0.1 + (0.6 * context * action) / actions;
const logged = (context: number): number[] => softmax(draws(actions, (action) => 0.5 * context * action));
const target = (context: number): number[] =>
  softmax(draws(actions, (action) => context * (actions - action)));

function softmax(scores: readonly number[]): number[] {
  const powers = scores.map(Math.exp);
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** The target policy's expected reward, contexts being uniform: by the midpoint rule. */
function truth(): number {
  const steps = 2_000;
  return draws(steps, (step) => expected((step + 0.5) / steps, worth)).reduce((a, b) => a + b, 0) / steps;
}

function expected(context: number, of: (context: number, action: number) => number): number {
  return target(context).reduce((sum, share, action) => sum + share * of(context, action), 0);
}

/** Units with a few decisions each, whose rewards resemble each other; the reward model is wrong by a fifth. */
function decisionsOf(random: Random): LoggedDecision[] {
  const mood = 0.1 * (random.next() - 0.5);
  const model = (context: number, action: number): number => 0.8 * worth(context, action) + 0.02;
  return draws(1 + Math.floor(5 * random.next()), () => {
    const context = random.next();
    const propensities = logged(context);
    let [left, action] = [random.next(), 0];
    while (action < actions - 1 && left >= (propensities[action] as number)) {
      left -= propensities[action] as number;
      action += 1;
    }
    return {
      propensity: propensities[action] as number,
      target: target(context)[action] as number,
      reward: Number(random.next() < worth(context, action) + mood),
      unsupported: 0,
      model: { logged: model(context, action), target: expected(context, model) },
    };
  });
}

function missedBy(estimate: Answer<Estimate, string>, value: number): boolean | undefined {
  if (!estimate.ok) return undefined;
  const { units, variance } = estimate.value;
  return Math.abs(estimate.value.value - value) > criticalT(0.05, units - 1) * Math.sqrt(variance);
}

export const withoutArms: readonly Scenario[] = [
  {
    id: "interleaving",
    section: "Interleaving",
    what: "no preference, 300 units",
    runs: 10_000,
    questions: [
      { name: "t test, found at 5 %", bar: fivePercent },
      { name: "sign test, found at 5 %", bar: { kind: "at-most", share: 0.05 } },
    ],
    prepare: () => (random) => {
      const sums = interleavingSums(draws(300, () => creditOf(random, 0.5)));
      const [preferred, signed] = [preferenceTest(sums, 0.05), signTest(sums)];
      return [
        preferred.ok ? preferred.value.pValue < 0.05 : undefined,
        signed.ok ? signed.value.pValue < 0.05 : undefined,
      ];
    },
  },
  {
    id: "interleaving-watched",
    section: "Interleaving",
    what: "no preference, 2,000 units, 200 looks",
    runs: 2_000,
    questions: [
      { name: "always-valid sign, ever found at 5 %", bar: { kind: "surely-below", share: 0.05 } },
      { name: "always-valid preference, ever found at 5 %", bar: { kind: "surely-below", share: 0.05 } },
      { name: "t test for one look, ever found at 5 %", bar: { kind: "shown" } },
    ],
    prepare: () => everPreferred,
  },
  {
    id: "interleaving-found",
    section: "Interleaving",
    what: "58 % of the clicks are the first's, 1,000 units",
    runs: 1_000,
    questions: [
      { name: "t test, found at 5 %", bar: { kind: "at-least", share: 0.95 } },
      { name: "sign test, found at 5 %", bar: { kind: "at-least", share: 0.95 } },
    ],
    prepare: () => (random) => {
      const sums = interleavingSums(draws(1_000, () => creditOf(random, 0.58)));
      const [preferred, signed] = [preferenceTest(sums, 0.05), signTest(sums)];
      return [preferred.ok && preferred.value.pValue < 0.05, signed.ok && signed.value.pValue < 0.05];
    },
  },
  {
    id: "off-policy",
    section: "Off-policy: a 95 % interval misses the target policy's value",
    what: "four actions, softmax policies that disagree, 1,000 units of one to five decisions, a reward model that is wrong by a fifth",
    runs: 3_000,
    questions: ["inverse propensity", "self-normalised", "doubly robust", "mean weight of 1"].map((name) => ({
      name,
      bar: fivePercent,
    })),
    prepare: () => {
      const value = truth();
      return (random) => {
        const sums = draws(1_000, () => offPolicySumsOf(decisionsOf(random))).reduce(
          mergeOffPolicySums,
          noOffPolicySums,
        );
        const { ips, snips, doublyRobust, meanWeight } = offPolicy(sums);
        return [...[ips, snips, doublyRobust].map((one) => missedBy(one, value)), missedBy(meanWeight, 1)];
      };
    },
  },
  {
    id: "off-policy-refused",
    section: "Off-policy: a 95 % interval misses the target policy's value",
    what: "one decision in fifty has an action that was never logged, 500 units",
    runs: 300,
    questions: [{ name: "refused", bar: { kind: "at-least", share: 1 } }],
    prepare: () => (random) => {
      const sums = draws(500, () =>
        offPolicySumsOf(
          decisionsOf(random).map((one) => ({ ...one, unsupported: random.next() < 0.02 ? 0.3 : 0 })),
        ),
      ).reduce(mergeOffPolicySums, noOffPolicySums);
      return [!offPolicy(sums).snips.ok];
    },
  },
];
