import type { LogVerification } from "../../src/app/data/verify-data.ts";
import type { LoadReport } from "../load-run.ts";
import { formatErrors } from "../load-table.ts";
import type { AnalysisRun } from "./analyses.ts";
import type { HistoryAudit } from "./history-audit.ts";
import type { NumberedAudit } from "./numbered-book.ts";
import { disagreements, type ReckoningRow } from "./reckoning.ts";
import { errorsOf, flatMibPerMinute, type SoakTrend, steadyP99Ratio } from "./soak-report.ts";

/** All that a soak has found. */
export interface SoakFindings {
  readonly trend: SoakTrend;
  readonly loads: readonly LoadReport[];
  readonly reckoning: readonly ReckoningRow[];
  readonly history: HistoryAudit;
  readonly impressions: NumberedAudit;
  readonly outcomes: NumberedAudit;
  readonly verification: LogVerification;
  readonly exitCode: number | null;
  readonly analyses: readonly AnalysisRun[];
  /** What went wrong beside the load. */
  readonly faults: readonly string[];
}

/** Of the answers, those that overload refused or made less of: what a rate may have that counts as sustained. */
const lessThanWholeMax = 0.01;

/** Minutes below which nothing is said of trends: memory still fills in the first quarter of an hour. */
const trendMinutesMin = 20;

export interface Verdict {
  readonly good: boolean;
  readonly text: string;
}

/** What the soak promises, line by line. */
export function verdictsOf(found: SoakFindings): Verdict[] {
  const { trend, loads, history, impressions, outcomes, verification, exitCode, analyses, faults } = found;
  const scheduled = total(loads.map((load) => load.scheduled));
  const answered = total(loads.map((load) => load.answered));
  const degraded = total(loads.map((load) => load.degraded));
  const errors = errorsOf(loads);
  const refused = (errors["429"] ?? 0) + (errors["gRPC 8"] ?? 0);
  const different = disagreements(found.reckoning).length;
  return [
    ...(loads.length < trendMinutesMin ? [] : trendVerdicts(trend)),
    {
      good: scheduled === answered + refused && degraded + refused <= lessThanWholeMax * scheduled,
      text: `${answered} of ${scheduled} rank requests answered (errors ${formatErrors(errors)}), ${degraded} of them degraded (bar: refused and degraded together ${100 * lessThanWholeMax} %)`,
    },
    { good: isWhole(impressions), text: `impressions: ${auditText(impressions)}` },
    { good: isWhole(outcomes), text: `outcomes: ${auditText(outcomes)}` },
    {
      good: history.lost.length + history.unknown.length + history.unharmed.length === 0,
      text: `experiments: ${history.acknowledged} acknowledged changes of ${history.revisions} revisions in the histories; lost ${list(history.lost)}, unknown ${list(history.unknown)}, not killed by their guardrail ${list(history.unharmed)}`,
    },
    {
      good: different === 0,
      text: `the server's metrics and the load's book: ${found.reckoning.length - different} of ${found.reckoning.length} counts agree`,
    },
    {
      good: analyses.every(({ exitCode: code }) => code === 0 || code === 3),
      text: `analyses: ${analyses.length}, of the whole log ${times(analyses, false)}, of what is new ${times(analyses, true)}`,
    },
    { good: faults.length === 0, text: `changes and releases that went wrong: ${list(faults)}` },
    {
      good: exitCode === 0 && verification.corrupt.length === 0 && verification.truncatedBytes === 0,
      text: `the server ended with ${exitCode}; the log's last segments have ${verification.impressions} whole impressions and ${verification.outcomes} outcomes, ${verification.corrupt.length} damaged records`,
    },
  ];
}

function trendVerdicts(trend: SoakTrend): Verdict[] {
  return [
    {
      good: trend.serverMibPerMinute <= flatMibPerMinute && trend.inferenceMibPerMinute <= flatMibPerMinute,
      text: `memory, second half: server ${perMinute(trend.serverMibPerMinute)}, inference ${perMinute(trend.inferenceMibPerMinute)} (bar ${flatMibPerMinute})`,
    },
    {
      good: trend.p99Late <= steadyP99Ratio * trend.p99Early,
      text: `p99 of a minute, median of the first and of the last third: ${trend.p99Early.toFixed(1)} and ${trend.p99Late.toFixed(1)} ms (bar ${steadyP99Ratio} times)`,
    },
    {
      good: trend.openFilesLate <= trend.openFilesEarly + 10,
      text: `open files, likewise: ${trend.openFilesEarly.toFixed(0)} and ${trend.openFilesLate.toFixed(0)}`,
    },
  ];
}

function isWhole({ lost, repeated, unknown, promised }: NumberedAudit): boolean {
  return lost === 0 && repeated === 0 && unknown === 0 && promised > 0;
}

function auditText({ promised, found, lost, repeated, unknown, examples }: NumberedAudit): string {
  return `${promised} acknowledged, ${found} in the log; ${lost} lost, ${repeated} twice, ${unknown} unknown${examples.length === 0 ? "" : ` (${examples.join(", ")})`}`;
}

function perMinute(mib: number): string {
  return `${mib.toFixed(2)} MiB a minute`;
}

function times(runs: readonly AnalysisRun[], incremental: boolean): string {
  const took = runs
    .filter((run) => run.incremental === incremental)
    .map(({ tookMs }) => (tookMs / 1_000).toFixed(1));
  return took.length === 0 ? "none" : `${took.join(", ")} s`;
}

function list(words: readonly string[]): string {
  return words.length === 0 ? "none" : `${words.length} (${words.slice(0, 5).join("; ")})`;
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
