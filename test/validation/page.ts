/** What was simulated, as docs/statistics-validation.md, as its pictures, and on a terminal. */
import Table from "cli-table3";
import { drawStackedPlots, type LinePlot } from "../../loadtest/line-plot.ts";
import { cadences, countOfLooks, methods, peekingId } from "./peeking.ts";
import { curveId, curveUnits, plannedCurve } from "./planned-power.ts";
import { type Bar, bandOf, type Count, isKept, type Scenario } from "./scenario.ts";

export interface Validated {
  readonly seed: string;
  readonly seconds: number;
  readonly workers: number;
  readonly results: readonly Result[];
}

export interface Result {
  readonly scenario: Scenario;
  /** In the order of its questions. */
  readonly counts: readonly Count[];
}

interface Row {
  readonly what: string;
  readonly question: string;
  readonly answered: number;
  readonly share: string;
  readonly band: string;
  readonly bar: string;
  readonly kept: string;
}

function rowsOf({ scenario, counts }: Result): Row[] {
  return scenario.questions.map(({ name, bar }, i) => {
    const count = counts[i] as Count;
    const [low, high] = bandOf(count);
    const kept = isKept(bar, count);
    return {
      what: i === 0 ? scenario.what : "",
      question: name,
      answered: count.answered,
      share: percent(count.happened / count.answered),
      band: `${percent(low)} to ${percent(high)}`,
      bar: wordsOf(bar),
      kept: kept === undefined ? "" : kept ? "kept" : "MISSED",
    };
  });
}

function percent(share: number): string {
  if (!Number.isFinite(share)) return "none";
  return `${(share * 100).toFixed(share > 0 && share < 0.01 ? 2 : 1)} %`;
}

function wordsOf(bar: Bar): string {
  switch (bar.kind) {
    case "is":
      return percent(bar.share);
    case "within":
      return `${percent(bar.low)} to ${percent(bar.high)}`;
    case "at-most":
      return `at most ${percent(bar.share)}`;
    case "surely-below":
      return `below ${percent(bar.share)}, 99 % sure`;
    case "at-least":
      return `at least ${percent(bar.share)}`;
    case "shown":
      return "";
  }
}

export function formatTerminal({ results, seed, seconds }: Validated): string {
  const table = new Table({
    head: ["simulated", "", "runs", "share", "99.9 % band", "bar", ""],
    colAligns: ["left", "left", "right", "right", "left", "left", "left"],
    colWidths: [44, 34],
    wordWrap: true,
    style: { head: [], border: [], compact: true },
  });
  for (const { what, question, answered, share, band, bar, kept } of results.flatMap(rowsOf)) {
    table.push([what, question, answered, share, band, bar, kept]);
  }
  return `${table.toString()}\n${summaryOf(results)} Seed ${seed}, ${seconds.toFixed(0)} s.\n`;
}

function summaryOf(results: readonly Result[]): string {
  const kept = results.flatMap(({ scenario, counts }) =>
    scenario.questions.flatMap(({ bar }, i) => isKept(bar, counts[i] as Count) ?? []),
  );
  const missed = kept.filter((one) => !one).length;
  return `${kept.length - missed} of ${kept.length} bars kept, ${missed} missed.`;
}

export function formatPage(validated: Validated): string {
  const { results, seed, seconds, workers } = validated;
  const bySection = Map.groupBy(results, ({ scenario }) => scenario.section);
  const sections = [...bySection].map(([section, within]) => `## ${section}\n\n${bodyOf(within)}`);
  return `# Statistics: simulated experiments, whose truth is known

Written by \`npm run validate:statistics\`, not by hand. Every method of [the analysis](statistics.md) is let loose on experiments
that are drawn with a known truth: arms that are the same, effects of a known size, splits that are broken. The functions are
those that \`analyze\` and \`power\` call; nothing is computed a second way.

**${summaryOf(results)}** Seed \`${seed}\`: the same seed gives the same counts, on any number of processes. It took
${seconds.toFixed(0)} s on ${workers} processes.

How to read the tables: *share* is that of the runs in which it happened, *band* what the binomial does not rule out at 99.9 %
(Wilson), *bar* what was asked: "5 %": the band holds it; "3.5 % to 6.5 %": the share lies there; "at most", "at least": the band
is not all above, or below; "below, 99 % sure": the one-sided 99 % bound is below, and it did happen in some run. Rows without a
bar are there for contrast.

${limitsOf(results)}## All that should be 5 %

![shares of a 5 % test with their binomial bands](images/statistics-bands.svg)

The line is the band, the dot the share: full where the bar asks for neither more nor less, hollow where only for no more. Shaded is
3.5 % to 6.5 %; vermilion is a bar that was missed.

${sections.join("\n\n")}
`;
}

function limitsOf(results: readonly Result[]): string {
  const missed = results.flatMap((result) => rowsOf(result).map((row) => ({ row, result })));
  const lines = missed
    .filter(({ row }) => row.kept === "MISSED")
    .map(
      ({ row, result }) =>
        `- ${result.scenario.what}: ${row.question} in ${row.share} (${row.band}), asked for ${row.bar}.`,
    );
  return lines.length === 0 ? "" : `## What falls short\n\n${lines.join("\n")}\n\n`;
}

function bodyOf(results: readonly Result[]): string {
  const [first] = results;
  if (first?.scenario.id === peekingId) return peekingBody(first);
  const lines = results
    .flatMap(rowsOf)
    .map(
      ({ what, question, answered, share, band, bar, kept }) =>
        `| ${what} | ${question} | ${answered.toLocaleString("en-US")} | ${share} | ${band} | ${bar} | ${kept} |`,
    );
  const picture =
    first?.scenario.id === curveId ? "\n\n![planned and simulated power](images/statistics-power.svg)" : "";
  return `| simulated | | runs | share | band | bar | |\n|---|---|---|---|---|---|---|\n${lines.join("\n")}${picture}`;
}

function peekingBody(result: Result): string {
  const rows = rowsOf(result);
  const lines = methods.map((method, i) => {
    const cells = cadences.map((_, at) => {
      const row = rows[i * cadences.length + at] as Row;
      return `${row.share} (${row.band})${row.kept === "" ? "" : `, ${row.kept}`}`;
    });
    const { bar } = rows[i * cadences.length] as Row;
    return `| ${method} | ${cells.join(" | ")} | ${bar} |`;
  });
  const head = cadences.map(countOfLooks);
  return `${result.scenario.what}; ${result.scenario.runs.toLocaleString("en-US")} runs. In brackets the band.

| | ${head.join(" | ")} | bar |
|---|---|---|---|---|---|
${lines.join("\n")}

![false positives by number of looks](images/statistics-peeking.svg)`;
}

function resultOf({ results }: Validated, id: string): Result {
  const result = results.find(({ scenario }) => scenario.id === id);
  if (result === undefined) throw new Error(`no result of ${id}`);
  return result;
}

function shares({ counts }: Result): number[] {
  return counts.map(({ happened, answered }) => (100 * happened) / answered);
}

export function drawPeeking(validated: Validated): string {
  const found = shares(resultOf(validated, peekingId));
  return picture(
    "Found in experiments without an effect",
    "alpha 5 %; the experiment stops at the first look that finds something",
    {
      title: "found, % of the runs",
      x: {
        label: "looks",
        scale: "log",
        ticks: cadences.map((at) => ({ at, text: at.toLocaleString("en-US") })),
      },
      y: {
        label: "found, %",
        scale: "linear",
        ticks: [0, 5, 10, 20, 30, 40, 50, 60].map((at) => ({ at, text: String(at) })),
      },
      series: methods.map((name, i) => ({
        name,
        points: cadences.map((looks, at) => [looks, found[i * cadences.length + at] as number] as const),
      })),
    },
  );
}

export function drawPower(validated: Validated): string {
  const found = shares(resultOf(validated, curveId));
  const planned = plannedCurve().map((share) => 100 * share);
  const points = (of: readonly number[]) => curveUnits.map((units, i) => [units, of[i] as number] as const);
  return picture(
    "Power: planned, and found in simulations",
    "a mean, a quarter of a spread, alpha 5 %, one look",
    {
      title: "found, % of the runs",
      x: { label: "units an arm", scale: "linear" },
      y: { label: "found, %", scale: "linear" },
      series: [
        { name: "planned", points: points(planned) },
        { name: "simulated", points: points(found), dash: "2 5" },
      ],
    },
  );
}

/** Lines that lie upon each other are named in a legend. */
function picture(title: string, subtitle: string, plot: LinePlot): string {
  const legend = plot.series.map(({ name, dash }, colour) => ({
    text: name,
    colour,
    ...(dash === undefined ? {} : { dash }),
  }));
  const series = plot.series.map((one) => ({ ...one, name: "" }));
  return drawStackedPlots({ title, subtitle, legend }, [{ ...plot, series }]);
}
