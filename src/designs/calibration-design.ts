/**
 * Self-calibration: the experiment's own units and what they did, dealt to arms anew under a thousand salts. None of these
 * experiments has an effect, so the p-values of the test that decides must be uniform; where they are not, it does not fit
 * this traffic.
 */

import type { Experiment } from "../domain/experiment.ts";
import { count, counted } from "../domain/number-text.ts";
import {
  type MetricLayout,
  metricLayouts,
  numberIn,
  pairsWithin,
  unitValuesOf,
  variablesOf,
} from "../measurement/measurement.ts";
import { holm, uniformity } from "../statistics/statistics.ts";
import { type AskedDesign, comparedArms } from "./asked-design.ts";
import { type DealtResult, type DealtTest, testsUnderSalts } from "./dealt-tests.ts";
import { designMetrics, leftOutWarnings } from "./design-metrics.ts";
import type { CalibratedMetric, CalibrationReport } from "./design-sections.ts";

const salts = 1_000;

/**
 * With more, units are drawn by the md5 of their ids: fewer units are the harder case, since means of more of them are
 * nearer to normal.
 */
const unitsMax = 200_000;

/** Of "the p-values are uniform", after Holm: one report in a hundred says otherwise of a method that is right. */
const brokenBelow = 0.01;

const bins = 20;

/** The test by which a report of so many units decides, of a mean, share or ratio of one arm against control. */
export type DecidingTests = (units: number) => (layout: MetricLayout, arm: number) => DealtTest;

export interface CalibrationOptions {
  readonly alpha: number;
  readonly decidingTests: DecidingTests;
  readonly onProgress?: ((done: number, of: number) => void) | undefined;
}

/**
 * What is calibrated is what decides: the difference of the arms after CUPED where there is a covariate (its theta estimated
 * anew under each salt), by the p-value of one look, which must be uniform. An always-valid p-value is larger than that by
 * design, and a group-sequential one is of all looks so far: of them the report says how often the plan would show a difference
 * now, which must be no more than alpha.
 */
export function calibrationDesign(experiment: Experiment, options: CalibrationOptions): AskedDesign {
  const layouts = metricLayouts(experiment);
  const measured = layouts.metrics.filter(({ numerator }) => numerator !== undefined);
  const values = layouts.variables.map((_, place) => `v${place}`);
  // The first 32 of md5's bits, as text: below the threshold in as many cases as there may be units.
  const threshold = `lpad(lower(hex(CAST(floor(least(${unitsMax}e0 / everyone, 1e0) * 4294967295e0) AS BIGINT))), 8, '0')`;
  return {
    design: {
      relations: [],
      queries: {
        design_units: "SELECT count(*) AS everyone FROM units WHERE NOT crossed",
        design_calibration: `
          SELECT ${["unit", ...values].join(", ")}
          FROM ${unitValuesOf(layouts)} CROSS JOIN (SELECT ${threshold} AS threshold
                                       FROM (SELECT count(*) AS everyone FROM units WHERE NOT crossed) counted
                                       WHERE everyone > 0) drawn
          WHERE substr(md5(unit), 1, 8) <= threshold ORDER BY unit`,
      },
    },
    async findings(results) {
      const rows = results["design_calibration"] ?? [];
      const of = numberIn(results["design_units"]?.[0], "everyone");
      const { treated } = comparedArms(experiment);
      const testOf = options.decidingTests(of);
      const asked = measured.flatMap((layout) => treated.map((arm) => ({ layout, arm })));
      const found = await testsUnderSalts(
        {
          ids: rows.map((row) => String(row["unit"])),
          columns: values.map((value) => Float64Array.from(rows, (row) => Number(row[value]))),
          pairs: pairsWithin(layouts.metrics.map(variablesOf)),
        },
        experiment.arms,
        asked.map(({ layout, arm }) => testOf(layout, arm)),
        salts,
        options.onProgress,
      );
      const metrics = asked.map(({ layout, arm }, i) => {
        const names = { metric: layout.metric.id, arm: experiment.arms[arm]?.id ?? "" };
        return { ...names, ...calibratedTest(found[i] ?? [], options.alpha) };
      });
      const calibration = reportOf(metrics, rows.length, of);
      const out = leftOutWarnings(
        "Calibration",
        designMetrics(experiment).leftOut,
        "a quantile's test is not done anew a thousand times",
      );
      return { sections: { calibration }, warnings: [...warningsOf(calibration), ...out] };
    },
  };
}

/** Of one test under all salts. */
export function calibratedTest(
  results: readonly (DealtResult | undefined)[],
  alpha: number,
): Omit<CalibratedMetric, "metric" | "arm"> {
  const had = results.filter((one) => one !== undefined);
  const histogram = new Array<number>(bins).fill(0);
  for (const { pValue } of had) {
    const bin = Math.min(bins - 1, Math.floor(pValue * bins));
    histogram[bin] = (histogram[bin] as number) + 1;
  }
  const shareOf = (is: (one: DealtResult) => boolean): number | null =>
    had.length === 0 ? null : had.filter(is).length / had.length;
  const tested = uniformity(results.map((one) => one?.pValue));
  return {
    test: had.some(({ isAdjusted }) => isAdjusted) ? "cuped" : "plain",
    histogram,
    uniformity: tested.ok
      ? {
          statistic: tested.value.statistic,
          pValue: tested.value.pValue,
          pValueAdjusted: tested.value.pValue,
        }
      : null,
    falsePositives: shareOf(({ pValue }) => pValue < alpha),
    shownByPlan: shareOf(({ isShown }) => isShown),
  };
}

function reportOf(found: readonly CalibratedMetric[], units: number, of: number): CalibrationReport {
  const judged = found.filter((one) => one.uniformity !== null);
  const adjusted = holm(judged.map((one) => one.uniformity?.pValue ?? 1));
  const metrics = found.map((one) =>
    one.uniformity === null
      ? one
      : {
          ...one,
          uniformity: { ...one.uniformity, pValueAdjusted: adjusted[judged.indexOf(one)] as number },
        },
  );
  const worst = metrics
    .filter((one) => one.uniformity !== null)
    .toSorted((a, b) => (a.uniformity?.pValue ?? 1) - (b.uniformity?.pValue ?? 1))[0];
  return {
    salts,
    units,
    of,
    histogram: worst?.histogram ?? new Array<number>(bins).fill(0),
    uniformity:
      worst?.uniformity === undefined || worst.uniformity === null
        ? null
        : { statistic: worst.uniformity.statistic, pValue: worst.uniformity.pValue },
    ok: judged.length === 0 ? null : Math.min(...adjusted) >= brokenBelow,
    metrics,
  };
}

function warningsOf({ metrics, units, of }: CalibrationReport): string[] {
  const warnings = metrics.map(({ metric, arm, uniformity: tested }) => {
    if (tested === null) {
      return [
        `Calibration of ${metric}, ${arm}: not judged, since too few re-randomisations have a p-value, or they repeat a ` +
          "few values: the metric is too rare.",
      ];
    }
    if (tested.pValueAdjusted >= brokenBelow) return [];
    return [
      `Calibration of ${metric}, ${arm}: p-values of traffic without an effect are not uniform, so its test does not ` +
        "hold here: too few units for so skewed a metric?",
    ];
  });
  const drawn =
    units < of ? [`Calibrated with ${count(units)} of ${counted(of, "unit")}, drawn by their ids.`] : [];
  return [...warnings.flat(), ...drawn];
}
