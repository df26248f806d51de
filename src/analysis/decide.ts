/** The verdict of the whole experiment, by roles and plan, where its health allows one. */
import type { AdjustedTest } from "../statistics/statistics.ts";
import type { Decision } from "./compare.ts";
import { probability } from "./format.ts";
import type { Horizon } from "./plan.ts";
import type { MetricReport } from "./report.ts";
import type { HealthReport, VerdictReport } from "./report-sections.ts";

/** One comparison, with what was decided of it. */
export interface Judged {
  readonly metric: MetricReport;
  readonly arm: string;
  readonly versus: string;
  readonly decision: Decision;
  readonly adjusted: AdjustedTest;
}

/**
 * An arm is better where a primary metric is, none is worse and every guardrail with a margin keeps it; it is worse where a
 * primary is or a guardrail passes its margin; it is not worse where every primary has a margin and keeps it. Of several arms
 * the best speaks.
 */
export function verdictOf(
  judged: readonly Judged[],
  health: HealthReport,
  { report }: Horizon,
  alpha: number,
): VerdictReport {
  const failed = health.checks.filter(({ ok }) => ok === false);
  if (failed.length > 0) {
    return {
      kind: "unhealthy",
      sentence: "No verdict: the experiment is not healthy, so that no number of it can be trusted.",
      reasons: failed.map(
        ({ name, detail, likelyCause }) => `${name}: ${detail}. Likely cause: ${likelyCause}.`,
      ),
    };
  }
  const few = health.checks.find(({ id, likelyCause }) => id === "enough-units" && likelyCause !== null);
  const early = (reason: string): VerdictReport => ({
    kind: "too-early",
    sentence: "Too early for a verdict.",
    reasons: [reason],
  });
  if (report.kind === "fixed" && !report.ended) {
    return early(
      report.plannedUnits === null
        ? `The plan is one look, on ${report.plannedEnd}.`
        : `The plan is one look at ${report.plannedUnits} units, of which ${report.units} are there.`,
    );
  }
  if (few !== undefined) return early(`${few.name}: ${few.detail}.`);
  const primary = judged.filter(({ metric }) => metric.role === "primary");
  if (primary.length === 0) {
    return { kind: "open", sentence: "No verdict: there is no primary metric to decide on.", reasons: [] };
  }
  const arms = [...new Set(primary.map(({ arm }) => arm))];
  const verdicts = arms.map((arm) =>
    verdictOfArm(
      arm,
      judged.filter((one) => one.arm === arm),
      alpha,
    ),
  );
  const best = order.flatMap((kind) => verdicts.filter((one) => one.kind === kind))[0] as VerdictReport;
  const others = verdicts.filter((one) => one !== best).map(({ sentence }) => sentence);
  return { ...best, reasons: [...best.reasons, ...others] };
}

const order: readonly VerdictReport["kind"][] = ["better", "not-worse", "open", "worse"];

function verdictOfArm(arm: string, judged: readonly Judged[], alpha: number): VerdictReport {
  const [{ versus }] = judged as [Judged];
  const isShown = ({ decision, adjusted }: Judged, direction: "better" | "worse"): boolean =>
    decision.direction === direction &&
    (decision.crossed ?? (adjusted.pValue !== undefined && adjusted.pValue < alpha));
  const primary = judged.filter(({ metric }) => metric.role === "primary");
  const guards = judged.filter(
    ({ metric, decision }) => metric.role === "guardrail" && decision.notWorse !== null,
  );
  const [better, worse] = [
    primary.filter((one) => isShown(one, "better")),
    primary.filter((one) => isShown(one, "worse")),
  ];
  const broken = guards.filter(({ decision }) => decision.isWorseThanMargin);
  const unproven = guards.filter(
    ({ decision }) => decision.notWorse?.ok === false && !decision.isWorseThanMargin,
  );
  const told = ({ metric, adjusted }: Judged): string =>
    `${metric.metric}: adjusted p ${probability(adjusted.pValue ?? null)}`;
  const names = (of: readonly Judged[]): string => of.map(({ metric }) => metric.metric).join(" and ");
  if (worse.length > 0 || broken.length > 0) {
    return {
      kind: "worse",
      sentence: `${arm} is worse than ${versus} on ${names([...worse, ...broken])}.`,
      reasons: [
        ...worse.map(told),
        ...broken.map(({ metric }) => `guardrail ${metric.metric} is worse by more than its margin`),
      ],
    };
  }
  const open = unproven.map(({ metric }) => `guardrail ${metric.metric} is not shown to keep its margin yet`);
  if (better.length > 0) {
    return open.length === 0
      ? {
          kind: "better",
          sentence: `${arm} is better than ${versus} on ${names(better)}.`,
          reasons: better.map(told),
        }
      : {
          kind: "open",
          sentence: `${arm} is better than ${versus} on ${names(better)}, but not every guardrail is safe.`,
          reasons: [...better.map(told), ...open],
        };
  }
  if (open.length === 0 && primary.every(({ decision }) => decision.notWorse?.ok === true)) {
    return {
      kind: "not-worse",
      sentence: `${arm} is not worse than ${versus} by more than the margin on ${names(primary)}.`,
      reasons: primary.map(told),
    };
  }
  return {
    kind: "open",
    sentence: `No difference shown between ${arm} and ${versus} on ${names(primary)}.`,
    reasons: [...primary.map(told), ...open],
  };
}
