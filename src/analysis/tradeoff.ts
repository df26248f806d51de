/** What a faster or cheaper arm costs in quality: the points of the picture, and a distilled ranker's verdict in one statement. */

import { amount, plainPercent, probability } from "../domain/number-text.ts";
import type { ArmTimings, Measure } from "../measurement/measurement.ts";
import {
  type Answer,
  type Estimate,
  type Gain,
  type NotWorse,
  notWorse,
  notWorseAndBetter,
  simultaneousAlpha,
} from "../statistics/statistics.ts";
import { decidingPair } from "./decision.ts";
import { type Horizon, oneSidedTest } from "./plan.ts";
import type { TradeoffReport, TradeoffStatement } from "./report-sections.ts";

export interface TradeoffFindings {
  readonly arms: readonly string[];
  readonly control: number;
  readonly measures: readonly Measure[];
  readonly timings: readonly ArmTimings[];
  /** Of a thousand requests, as the document says; undefined where it says nothing. */
  readonly costs: readonly (number | undefined)[];
  readonly alpha: number;
  readonly horizon: Horizon;
}

/** By arm, and in the words of a reason and of a verdict. */
export interface ArmStatement extends TradeoffStatement {
  readonly sentence: string;
  /** What is better about the arm, where that is proven. */
  readonly gained: string;
}

export interface Tradeoff {
  readonly report: TradeoffReport;
  readonly statements: readonly ArmStatement[];
}

/**
 * Quality is the first primary metric that has a margin, else the first; cost what the document says, where it does of every
 * arm, and otherwise the model's time. Undefined where there is neither quality nor anything to trade it for.
 */
export function tradeoffOf(findings: TradeoffFindings): Tradeoff | undefined {
  const { arms, control, measures, timings, costs } = findings;
  const primaries = measures.filter(({ role }) => role === "primary");
  const quality = primaries.find(({ margin }) => margin !== undefined) ?? primaries[0];
  const isDeclared = costs.length > 0 && costs.every((cost) => cost !== undefined);
  if (quality === undefined || (!isDeclared && !timings.some(({ latency }) => latency.ok))) return undefined;
  const valueIn = (answer: Answer<Estimate> | undefined): number | null =>
    answer?.ok === true ? answer.value.value : null;
  const points = arms.map((arm, i) => ({
    arm,
    quality: quality.arms[i]?.value ?? null,
    latencyMs: valueIn(timings[i]?.latency),
    cost: isDeclared ? (costs[i] as number) / requestsPriced : valueIn(timings[i]?.model),
  }));
  const statements = arms.flatMap((_, arm) =>
    arm === control ? [] : (statementOf(findings, quality, isDeclared, arm) ?? []),
  );
  const costUnit = isDeclared ? "as declared" : "ms of the model's time";
  return { report: { metric: quality.metric, points, costUnit, verdict: null }, statements };
}

/** `arms[].cost` is of so many. */
const requestsPriced = 1_000;

function statementOf(
  { arms, control, timings, costs, alpha: all, horizon }: TradeoffFindings,
  quality: Measure,
  isDeclared: boolean,
  arm: number,
): ArmStatement | undefined {
  const pair = decidingPair(quality, arm, control);
  if (pair === undefined || quality.margin === undefined) return undefined;
  // Any arm's statement may be the one that is acted on.
  const alpha = simultaneousAlpha(all, arms.length - 1);
  const gains = [
    ...gainOf("latency", timings[arm]?.latency, timings[control]?.latency),
    ...(isDeclared ? [] : gainOf("the model's time", timings[arm]?.model, timings[control]?.model)),
  ];
  const [cost, before] = [costs[arm] ?? 0, costs[control] ?? 0];
  // Declared, not measured: there is nothing to test about it.
  const isCheaper = isDeclared && cost < before;
  if (gains.length === 0 && !isCheaper) return undefined;
  const margin = { goal: quality.goal, kind: "relative", size: quality.margin } as const;
  const test = oneSidedTest(alpha, horizon);
  const kept = notWorse(pair.treated, pair.control, margin, test);
  if (!kept.ok) return undefined;
  const tested = gains.length === 0 ? undefined : notWorseAndBetter({ ...pair, margin }, gains, test);
  const statement = tested?.ok === true ? tested.value : undefined;
  const shown = gains.filter((_, i) => (statement?.gains[i]?.pValueAdjusted ?? 1) <= alpha);
  const verdict = verdictOf(kept.value, shown.length > 0 || isCheaper, alpha);
  const gained = [
    ...(isCheaper ? [`a thousand requests cost ${amount(cost)} instead of ${amount(before)}`] : []),
    ...shown.map(
      ({ name, treated, control: than }) =>
        `${name} is lower: ${amount(treated.value)} ms instead of ${amount(than.value)} ms`,
    ),
  ].join(", and ");
  const [name, versus] = [arms[arm] as string, arms[control] as string];
  const within = `${name} is not worse than ${versus} on ${quality.metric} by more than ${plainPercent(quality.margin)}`;
  const names = [...(isDeclared ? ["cost"] : []), ...gains.map((one) => one.name)].join(" nor ");
  const sentences = {
    proven: `${within} (p ${probability(kept.value.pValue)}), and ${gained}.`,
    "no-gain": `${within} (p ${probability(kept.value.pValue)}), but neither ${names} is shown to be lower.`,
    worse: `${name} is worse than ${versus} on ${quality.metric} by more than ${plainPercent(quality.margin)} (p ${probability(kept.value.pValueWorse)})${gained === "" ? "" : `, though ${gained}`}.`,
    open: `Whether ${name} keeps the margin of ${plainPercent(quality.margin)} on ${quality.metric} is open (p ${probability(kept.value.pValue)})${gained === "" ? "" : `; ${gained}`}.`,
  };
  return {
    arm: name,
    versus,
    verdict,
    pValue: isCheaper ? kept.value.pValue : (statement?.pValue ?? 1),
    gains: gains.map((one, i) => ({
      name: one.name,
      estimate: one.treated.value - one.control.value,
      pValue: statement?.gains[i]?.pValueAdjusted ?? 1,
    })),
    sentence: sentences[verdict],
    gained,
  };
}

function gainOf(
  name: string,
  treated: Answer<Estimate> | undefined,
  control: Answer<Estimate> | undefined,
): Gain[] {
  if (treated?.ok !== true || control?.ok !== true) return [];
  return [{ name, goal: "decrease", treated: treated.value, control: control.value }];
}

/** As `notWorseAndBetter` has it, where a gain may also be certain. */
function verdictOf(quality: NotWorse, isBetter: boolean, alpha: number): TradeoffStatement["verdict"] {
  if (quality.pValue <= alpha) return isBetter ? "proven" : "no-gain";
  return quality.pValueWorse <= alpha ? "worse" : "open";
}
