import Table from "cli-table3";
import { median } from "./bench-ratios.ts";
import type { LogAlone } from "./log-alone.ts";
import type { DoorLoad, DoorName } from "./outcome-doors.ts";

export interface LogRound {
  readonly alone: LogAlone;
  /** Undefined where no server was asked. */
  readonly server: ServerRound | undefined;
}

export interface ServerRound {
  readonly doors: Readonly<Record<DoorName, DoorLoad>>;
  /** Of so many candidates, all of them shown and logged. */
  readonly ranksPerSecond: number;
}

/** One line: what was measured, what a bare loop of the same bytes did in the same round, and what is asked for. */
export interface LogFigure {
  readonly what: string;
  readonly unit: string;
  readonly value: number;
  readonly bare: number | null;
  readonly ratio: number | null;
  /** In words, null where nothing is asked for. */
  readonly bar: string | null;
  readonly met: boolean | null;
}

interface Bar {
  readonly atLeast?: number;
  readonly atMost?: number;
  /** Of bare; it is enough to reach this or `atLeast`. */
  readonly ratio?: number;
}

/** Medians over the rounds, a ratio that of its own rounds. */
export function logFigures(rounds: readonly LogRound[]): LogFigure[] {
  const alone = rounds.map((round) => round.alone);
  const servers = rounds.flatMap(({ server, alone: { bareOutcomesPerSecond } }) =>
    server === undefined ? [] : [{ ...server, bareOutcomesPerSecond }],
  );
  const outcomes: Bar = { atLeast: 100_000, ratio: 0.5 };
  return [
    ...(["HTTP", "gRPC"] as const).flatMap((door) =>
      figure(
        `outcomes durable over ${door}`,
        "a second",
        servers,
        (it) => it.doors[door].outcomesPerSecond,
        (it) => it.bareOutcomesPerSecond,
        outcomes,
      ),
    ),
    ...figure(
      "outcomes durable in the log alone",
      "a second",
      alone,
      (it) => it.outcomesPerSecond,
      (it) => it.bareOutcomesPerSecond,
      outcomes,
    ),
    ...figure(
      "impressions appended",
      "a second",
      alone,
      (it) => it.impressionsPerSecond,
      (it) => it.bareImpressionsPerSecond,
      { atLeast: 20_000, ratio: 0.5 },
    ),
    ...figure("rank requests logged by a server", "a second", servers, (it) => it.ranksPerSecond),
    ...figure(
      "answering thread, an impression",
      "us",
      alone,
      (it) => it.threadMicrosPerImpression,
      undefined,
      { atMost: 50 },
    ),
    ...figure(
      "recovery",
      "MB/s",
      alone,
      (it) => it.recoverMegabytesPerSecond,
      (it) => it.bareReadMegabytesPerSecond,
      { atLeast: 200 },
    ),
    ...figure(
      "readLog",
      "MB/s",
      alone,
      (it) => it.readMegabytesPerSecond,
      (it) => it.bareReadMegabytesPerSecond,
    ),
    ...figure(
      "readLogBatches",
      "MB/s",
      alone,
      (it) => it.readBatchesMegabytesPerSecond,
      (it) => it.bareReadMegabytesPerSecond,
    ),
    ...figure(
      "verify-log",
      "MB/s",
      alone,
      (it) => it.verifyMegabytesPerSecond,
      (it) => it.bareReadMegabytesPerSecond,
    ),
  ];
}

/** None where nothing was measured. */
function figure<Round>(
  what: string,
  unit: string,
  rounds: readonly Round[],
  value: (round: Round) => number,
  bare?: (round: Round) => number,
  bar?: Bar,
): LogFigure[] {
  if (rounds.length === 0) return [];
  const measured = median(rounds.map(value));
  const ratio = bare === undefined ? null : median(rounds.map((round) => value(round) / bare(round)));
  return [
    {
      what,
      unit,
      value: measured,
      bare: bare === undefined ? null : median(rounds.map(bare)),
      ratio,
      bar: bar === undefined ? null : barWords(bar, unit),
      met: bar === undefined ? null : isMet(bar, measured, ratio),
    },
  ];
}

function isMet({ atLeast, atMost, ratio: asked }: Bar, value: number, ratio: number | null): boolean {
  if (atMost !== undefined) return value <= atMost;
  return (
    value >= (atLeast ?? Number.POSITIVE_INFINITY) ||
    (asked !== undefined && ratio !== null && ratio >= asked)
  );
}

function barWords({ atLeast, atMost, ratio }: Bar, unit: string): string {
  if (atMost !== undefined) return `at most ${whole(atMost)} ${unit}`;
  return `${whole(atLeast ?? 0)} ${unit}${ratio === undefined ? "" : `, or ${ratio} x bare`}`;
}

export function formatLogFigures(figures: readonly LogFigure[]): string {
  const table = new Table({
    head: ["", "measured", "", "bare", "x bare", "asked for", ""],
    colAligns: ["left", "right", "left", "right", "right", "left", "left"],
    style: { head: [], border: [], compact: true },
  });
  for (const { what, unit, value, bare, ratio, bar, met } of figures) {
    table.push([
      what,
      value < 100 ? value.toFixed(1) : whole(value),
      unit,
      bare === null ? "" : whole(bare),
      ratio === null ? "" : ratio.toFixed(2),
      bar ?? "",
      met === null ? "" : met ? "met" : "MISSED",
    ]);
  }
  return table.toString();
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}
