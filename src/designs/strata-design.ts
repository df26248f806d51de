/** Post-stratification by the attributes that an experiment declares: its units by arm and stratum. */

import type { Experiment } from "../domain/experiment.ts";
import {
  type Dialect,
  type LogDesign,
  metricLayouts,
  momentsIn,
  momentsQuery,
  type ResultRows,
  table,
  unitValuesOf,
} from "../measurement/measurement.ts";
import {
  type Answer,
  type CrossMoments,
  type PostStratified,
  postStratified,
} from "../statistics/statistics.ts";
import { attributeLevels, levelsMax, type SegmentAttribute } from "./attribute-levels.ts";
import { crossMomentsOf, type DesignMetric, designMetrics, ownPairs } from "./design-metrics.ts";

export interface StrataDesign {
  readonly design: LogDesign;
  /** By metric; of a quantile there is none. */
  stratified(results: ResultRows): ReadonlyMap<string, Answer<PostStratified>>;
}

/**
 * A stratum is one level of each attribute together: of several attributes every combination that units have. Undefined
 * where the experiment declares none, or has quantiles alone.
 */
export function strataDesign(dialect: Dialect, experiment: Experiment): StrataDesign | undefined {
  const arms = experiment.arms.length;
  const { metrics } = designMetrics(experiment);
  const { stratify } = experiment;
  if (stratify === undefined || metrics.length === 0) return undefined;
  const places = [...new Set(metrics.flatMap(({ inLayout }) => inLayout))];
  const placesOf = ({ inLayout }: DesignMetric): number[] => inLayout.map((place) => places.indexOf(place));
  const units = unitValuesOf(metricLayouts(experiment));
  const attributes = stratify.map(attributeOf);
  const joins = attributes.map(
    (
      _,
      i,
    ) => `JOIN (SELECT level AS level${i}, least(nth, ${levelsMax}) AS nth${i} FROM stratum_levels WHERE attribute = ${i}) of${i}
               ON level${i} = a${i}`,
  );
  const stratum = attributes.reduce((before, _, i) => `(${before} * ${levelsMax + 1} + nth${i})`, "0");
  return {
    design: {
      relations: [
        ...attributeLevels(dialect, "stratum", attributes),
        table(
          "stratum_values",
          `SELECT CAST(${stratum} * ${arms} + arm AS INTEGER) AS arm, ${places.map((place, i) => `v${place} AS v${i}`).join(", ")}
           FROM ${units} JOIN stratum_attributes ON stratum_attributes.unit = ${units}.unit ${joins.join(" ")}`,
        ),
      ],
      queries: {
        design_strata: momentsQuery("stratum_values", places.length, ownPairs(metrics, placesOf), []),
      },
    },
    stratified(results) {
      const rows = results["design_strata"] ?? [];
      const strata = [...new Set(rows.map((row) => Math.floor(Number(row["arm"]) / arms)))].sort(
        (a, b) => a - b,
      );
      const dense = rows.map((row) => {
        const cell = Number(row["arm"]);
        return { ...row, arm: strata.indexOf(Math.floor(cell / arms)) * arms + (cell % arms) };
      });
      return new Map(
        metrics.map((one) => {
          const cells = momentsIn(dense, placesOf(one), strata.length * arms).map((moments) =>
            crossMomentsOf(one, moments),
          );
          const byArm = Array.from({ length: arms }, (_, arm) =>
            strata.map((_, nth) => cells[nth * arms + arm] as CrossMoments),
          );
          return [one.metric.id, postStratified(byArm)] as const;
        }),
      );
    },
  };
}

function attributeOf(text: string): SegmentAttribute {
  const dot = text.indexOf(".");
  return { of: text.slice(0, dot) as SegmentAttribute["of"], name: text.slice(dot + 1) };
}
