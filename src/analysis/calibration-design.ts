/**
 * Self-calibration: the experiment's own units and what they did, dealt to arms anew under a thousand salts. None of these
 * experiments has an effect, so their p-values must be uniform; where they are not, the test does not fit this traffic.
 */
import { setImmediate } from "node:timers/promises";
import type { Experiment } from "../domain/experiment.ts";
import { holm, type JointMoments, uniformity } from "../statistics/statistics.ts";
import { type AskedDesign, comparedArms, liftOf } from "./asked-design.ts";
import { type DesignMetric, designMetrics, estimateOf, leftOutWarnings } from "./design-metrics.ts";
import type { ResultRow } from "./engine.ts";
import { metricLayouts } from "./metric-layout.ts";
import type { CalibratedMetric, CalibrationReport } from "./report-designs.ts";
import { calibrationSalt, RerandomisedUnits } from "./rerandomised.ts";
import { unitValuesOf } from "./unit-values.ts";

const salts = 1_000;

/**
 * With more, units are drawn by the md5 of their ids: fewer units are the harder case, since means of more of them are
 * nearer to normal.
 */
const unitsMax = 200_000;

/** Of "the p-values are uniform", after Holm: one report in a hundred says otherwise of a method that is right. */
const brokenBelow = 0.01;

const bins = 20;

export interface CalibrationOptions {
  readonly alpha: number;
  readonly onProgress?: ((done: number, of: number) => void) | undefined;
}

export function calibrationDesign(experiment: Experiment, options: CalibrationOptions): AskedDesign {
  const { metrics, leftOut } = designMetrics(experiment);
  const values = [...new Set(metrics.flatMap(({ inLayout }) => inLayout))].map((place) => `v${place}`);
  // The first 32 of md5's bits, as text: below the threshold in as many cases as there may be units.
  const threshold = `lpad(lower(hex(CAST(floor(least(${unitsMax}e0 / everyone, 1e0) * 4294967295e0) AS BIGINT))), 8, '0')`;
  return {
    design: {
      relations: [],
      queries: {
        design_units: "SELECT count(*) AS everyone FROM units WHERE NOT crossed",
        design_calibration: `
          SELECT ${["unit", ...values].join(", ")}
          FROM ${unitValuesOf(metricLayouts(experiment))} CROSS JOIN (SELECT ${threshold} AS threshold
                                       FROM (SELECT count(*) AS everyone FROM units WHERE NOT crossed) counted
                                       WHERE everyone > 0) drawn
          WHERE substr(md5(unit), 1, 8) <= threshold ORDER BY unit`,
      },
    },
    async findings(results) {
      const rows = results["design_calibration"] ?? [];
      const of = Number(results["design_units"]?.[0]?.["everyone"] ?? 0);
      const calibration = await calibrated(experiment, metrics, rows, of, options);
      const out = leftOutWarnings(
        "Calibration",
        leftOut,
        "a quantile's test is not done anew a thousand times",
      );
      return { sections: { calibration }, warnings: [...warningsOf(calibration), ...out] };
    },
  };
}

async function calibrated(
  experiment: Experiment,
  measured: readonly DesignMetric[],
  rows: readonly ResultRow[],
  of: number,
  { alpha, onProgress }: CalibrationOptions,
): Promise<CalibrationReport> {
  const units = new RerandomisedUnits(rows.map((row) => String(row["unit"])));
  const columns = measured.map(({ inLayout }) => inLayout.map((place) => columnOf(rows, `v${place}`)));
  const places = new Float64Array(units.count);
  const { control, treated } = comparedArms(experiment);
  const pValues = columns.map(() => treated.map((): (number | undefined)[] => []));
  for (let n = 0; n < salts; n++) {
    units.places(calibrationSalt(n), places);
    const arms = armsOf(experiment, places);
    for (const [m, metric] of measured.entries()) {
      const moments = momentsByArm(columns[m] as Column[], arms, experiment.arms.length);
      const estimates = moments.map((one) => estimateOf(metric, one)) as [ReturnType<typeof estimateOf>];
      for (const [t, place] of treated.entries()) {
        const lift = liftOf(
          estimates[place] as (typeof estimates)[0],
          estimates[control] as (typeof estimates)[0],
          alpha,
        );
        pValues[m]?.[t]?.push(lift?.pValue);
      }
    }
    onProgress?.(n + 1, salts);
    // So that the bar is drawn, and Ctrl-C is heard.
    if (n % 10 === 0) await setImmediate();
  }
  const metrics = measured.flatMap(({ metric }, m) =>
    treated.map((place, t) => {
      const all = pValues[m]?.[t] ?? [];
      return calibratedMetric(metric.id, experiment.arms[place]?.id ?? "", all, alpha);
    }),
  );
  return reportOf(metrics, units.count, of);
}

interface Column {
  readonly mean: number;
  /** Less the mean, so that sums of squares do not cancel. */
  readonly values: Float64Array;
}

function columnOf(rows: readonly ResultRow[], column: string): Column {
  const values = Float64Array.from(rows, (row) => Number(row[column]));
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  return { mean, values: values.map((value) => value - mean) };
}

/** As `armShares` of the assignment: an arm's part ends at the sum of the weights up to it, divided by that of all. */
function armsOf({ arms }: Experiment, places: Float64Array): Uint8Array {
  const total = arms.reduce((sum, { weight }) => sum + weight, 0);
  let sum = 0;
  const ends = arms.map(({ weight }) => {
    sum += weight;
    return sum / total;
  });
  const dealt = new Uint8Array(places.length);
  for (let i = 0; i < places.length; i++) {
    let arm = 0;
    while ((places[i] as number) >= (ends[arm] as number)) arm++;
    dealt[i] = arm;
  }
  return dealt;
}

function momentsByArm(columns: readonly Column[], dealt: Uint8Array, arms: number): JointMoments[] {
  const counts = new Float64Array(arms);
  for (const arm of dealt) counts[arm] = (counts[arm] as number) + 1;
  const sums = columns.map(({ values }) => sumsByArm(values, undefined, dealt, arms));
  const products = columns.map((one, i) =>
    columns.map((other, j) => (j < i ? undefined : sumsByArm(one.values, other.values, dealt, arms))),
  );
  return Array.from(counts, (count, arm) => {
    const offsets = sums.map((sum) => (count === 0 ? 0 : (sum[arm] as number) / count));
    return {
      count,
      means: columns.map(({ mean }, i) => mean + (offsets[i] as number)),
      products: columns.map((_, i) =>
        columns.map((_, j) => {
          const sum = products[Math.min(i, j)]?.[Math.max(i, j)]?.[arm] as number;
          const product = sum - count * (offsets[i] as number) * (offsets[j] as number);
          return i === j ? Math.max(0, product) : product;
        }),
      ),
    };
  });
}

/** Of the values, or of their products with others. */
function sumsByArm(
  values: Float64Array,
  others: Float64Array | undefined,
  dealt: Uint8Array,
  arms: number,
): Float64Array {
  const sums = new Float64Array(arms);
  for (let i = 0; i < values.length; i++) {
    const arm = dealt[i] as number;
    sums[arm] =
      (sums[arm] as number) + (values[i] as number) * (others === undefined ? 1 : (others[i] as number));
  }
  return sums;
}

function calibratedMetric(
  metric: string,
  arm: string,
  pValues: readonly (number | undefined)[],
  alpha: number,
): CalibratedMetric {
  const had = pValues.filter((p) => p !== undefined);
  const histogram = new Array<number>(bins).fill(0);
  for (const p of had) {
    const bin = Math.min(bins - 1, Math.floor(p * bins));
    histogram[bin] = (histogram[bin] as number) + 1;
  }
  const tested = uniformity(pValues);
  return {
    metric,
    arm,
    histogram,
    uniformity: tested.ok
      ? {
          statistic: tested.value.statistic,
          pValue: tested.value.pValue,
          pValueAdjusted: tested.value.pValue,
        }
      : null,
    falsePositives: had.length === 0 ? null : had.filter((p) => p < alpha).length / had.length,
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
    units < of
      ? [
          `Calibrated with ${units.toLocaleString("en-US")} of ${of.toLocaleString("en-US")} units, drawn by their ids.`,
        ]
      : [];
  return [...warnings.flat(), ...drawn];
}
