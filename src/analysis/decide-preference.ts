/** The verdict of an interleaving: which arm units prefer, by the primary metrics' sign tests. */
import { level, plainPercent, probability } from "./format.ts";
import type { InterleavingReport, PreferenceReport } from "./report-interleaving.ts";
import type { VerdictReport } from "./report-sections.ts";

/**
 * The arm is better where a primary metric shows it to be preferred and none its control; harm counts first. One look's: the
 * always-valid tests stand beside it in the report. Where less is better, less credit is.
 */
export function verdictOfPreference(report: InterleavingReport, alpha: number): VerdictReport {
  if (report.units === 0) return open("Nothing can be said: no list was drafted yet.");
  const primary = report.metrics.filter(({ role }) => role === "primary");
  if (primary.length === 0) return open("No verdict: there is no primary metric to decide on.");
  const told = primary.map((metric) => preferenceOf(report, metric, alpha));
  const decisive = order.flatMap((kind) => told.filter((one) => one.kind === kind))[0] as Preference;
  const others = told.filter((one) => one !== decisive).map(({ sentence }) => sentence);
  return { ...decisive, reasons: others };
}

function open(sentence: string): VerdictReport {
  return { kind: "open", sentence, reasons: [] };
}

interface Preference {
  readonly kind: "better" | "worse" | "open";
  readonly sentence: string;
}

const order: readonly Preference["kind"][] = ["worse", "better", "open"];

function preferenceOf(
  { arm, versus }: InterleavingReport,
  { metric, sign, pValueAdjusted, goal, wins, losses }: PreferenceReport,
  alpha: number,
): Preference {
  if (sign === null || pValueAdjusted === null) {
    return { kind: "open", sentence: `Nothing can be said of ${arm} on ${metric}: see the warnings.` };
  }
  const isMore = sign.share > 0.5;
  const isBetter = isMore === (goal === "increase");
  const counted = `${plainPercent(Math.max(sign.share, 1 - sign.share))} of ${wins + losses} units gave ${isMore ? arm : versus} more`;
  if (pValueAdjusted >= alpha) {
    return {
      kind: "open",
      sentence: `No preference shown on ${metric}: ${counted}, p ${probability(pValueAdjusted)}.`,
    };
  }
  const [preferred, other] = isBetter ? [arm, versus] : [versus, arm];
  return {
    kind: isBetter ? "better" : "worse",
    sentence:
      `${preferred} is preferred to ${other} on ${metric}: ${counted}, p ${probability(pValueAdjusted)}, at the ` +
      `${level(alpha)} level. An A/B test says how much a metric moves.`,
  };
}
