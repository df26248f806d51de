/** Lift by what was logged of a unit at its first exposure: nothing that came later could tell the arms apart. */

import type { Experiment } from "../domain/experiment.ts";
import {
  type Dialect,
  metricLayouts,
  momentsIn,
  momentsQuery,
  type ResultRow,
  table,
  unitValuesOf,
} from "../measurement/measurement.ts";
import { benjaminiHochberg, heterogeneity, holm, type JointMoments } from "../statistics/statistics.ts";
import { type AskedDesign, comparedArms } from "./asked-design.ts";
import {
  attributeLevels,
  binOfNothing,
  binOfText,
  levelsMax,
  type SegmentAttribute,
} from "./attribute-levels.ts";
import { attributeNamesQuery, notLogged } from "./attribute-names.ts";
import {
  type DesignMetric,
  designMetrics,
  estimateOf,
  leftOutWarnings,
  liftBetween,
  ownPairs,
} from "./design-metrics.ts";
import type { SegmentLevel, SegmentsReport } from "./design-sections.ts";

/** Units an arm, below which a level's standard error is too rough for the interaction test. */
const testedUnitsMin = 30;

function attributeName(attribute: SegmentAttribute): string {
  return attribute.of === "activity" ? attribute.of : `${attribute.of}.${attribute.name}`;
}

export function segmentsDesign(
  dialect: Dialect,
  experiment: Experiment,
  attributes: readonly SegmentAttribute[],
  alpha: number,
): AskedDesign {
  const { arms } = experiment;
  const { metrics, leftOut } = designMetrics(experiment);
  const places = [...new Set(metrics.flatMap(({ inLayout }) => inLayout))];
  const units = unitValuesOf(metricLayouts(experiment));
  const readsActivity = attributes.some(({ of }) => of === "activity");
  const cells = attributes.map(
    (_, i) => `
      SELECT CAST((${i * (levelsMax + 1)} + least(nth, ${levelsMax})) * ${arms.length} + arm AS INTEGER) AS arm,
             ${places.map((place, i) => `v${place} AS v${i}`).join(", ")}
      FROM ${units} JOIN segment_attributes ON segment_attributes.unit = ${units}.unit
      JOIN segment_levels ON attribute = ${i} AND level = a${i}`,
  );
  const placesOf = ({ inLayout }: DesignMetric): number[] => inLayout.map((place) => places.indexOf(place));
  return {
    design: {
      readsActivity,
      relations: [
        ...attributeLevels(dialect, "segment", attributes),
        table("segment_values", cells.join(" UNION ALL ")),
      ],
      queries: {
        design_levels: `
          SELECT attribute, least(nth, ${levelsMax}) AS nth, count(*) AS levels, min(level) AS level,
                 min(bin) AS bin, min(number) AS low, max(number) AS high
          FROM segment_levels GROUP BY attribute, least(nth, ${levelsMax})`,
        design_attribute_names: attributeNamesQuery(dialect, attributes),
        design_segments: momentsQuery("segment_values", places.length, ownPairs(metrics, placesOf), []),
      },
    },
    findings(results) {
      const names = namesOf(results["design_levels"] ?? [], attributes.length);
      const all = attributes.length * (levelsMax + 1) * arms.length;
      const { control, treated } = comparedArms(experiment);
      const reports = metrics.flatMap((one) => {
        const cellMoments = momentsIn(results["design_segments"] ?? [], placesOf(one), all);
        return treated.flatMap((arm) =>
          attributes.map((attribute, i) => {
            const cell = (nth: number, place: number): JointMoments =>
              cellMoments[(i * (levelsMax + 1) + nth) * arms.length + place] as JointMoments;
            const compared = (names[i] ?? []).map((level, nth) => ({
              level,
              treated: cell(nth, arm),
              control: cell(nth, control),
            }));
            return {
              metric: one.metric.id,
              arm: arms[arm]?.id ?? "",
              attribute: attributeName(attribute),
              ...compareLevels(one, compared, alpha),
            };
          }),
        );
      });
      const unlogged = attributes
        .filter((_, i) => names[i]?.length === 1 && names[i]?.[0] === null)
        .map(attributeName);
      const untested = reports.filter(
        ({ interaction, attribute }) => interaction === null && !unlogged.includes(attribute),
      );
      return {
        sections: { segments: withAdjusted(reports) },
        warnings: [
          ...unlogged.map((attribute) => notLogged(attribute, results["design_attribute_names"] ?? [])),
          ...[...new Set(untested.map(({ attribute }) => attribute))].map(
            (attribute) =>
              `${attribute}: no interaction test for some metric, since fewer than two levels have ` +
              `${testedUnitsMin} units in each arm and values that vary.`,
          ),
          ...leftOutWarnings("Segments", leftOut, "quantiles are not compared by segment"),
        ],
      };
    },
  };
}

function namesOf(rows: readonly ResultRow[], attributes: number): (string | null)[][] {
  const names = Array.from({ length: attributes }, (): (string | null)[] => []);
  for (const row of rows) {
    const nth = Number(row["nth"]);
    const level = String(row["level"] ?? "");
    const isRest = nth === levelsMax && Number(row["levels"]) > 1;
    const name = isRest ? "(others)" : (binName(row) ?? level);
    (names[Number(row["attribute"])] as (string | null)[])[nth] = name === "" ? null : name;
  }
  return names;
}

/** `2 to 7`; undefined where the levels are no bins. */
function binName({ bin, low, high }: ResultRow): string | undefined {
  if (bin === null || bin === undefined) return undefined;
  if (Number(bin) === binOfNothing) return "";
  if (Number(bin) === binOfText) return "(no number)";
  const [from, to] = [low, high].map((value) => String(Number(Number(value).toPrecision(6))));
  return from === to ? from : `${from} to ${to}`;
}

type Tested = Pick<SegmentsReport, "interaction" | "levels">;

function compareLevels(
  metric: DesignMetric,
  compared: readonly {
    readonly level: string | null;
    readonly treated: JointMoments;
    readonly control: JointMoments;
  }[],
  alpha: number,
): Tested {
  const lifts = compared.map(({ treated, control }) =>
    liftBetween(estimateOf(metric, treated), estimateOf(metric, control), alpha),
  );
  const isTested = compared.map(
    ({ treated, control }, i) =>
      lifts[i] !== null && Math.min(treated.count, control.count) >= testedUnitsMin,
  );
  const effects = lifts.flatMap((lift, i) =>
    lift !== null && isTested[i]
      ? [{ estimate: lift.absolute.estimate, standardError: lift.standardError }]
      : [],
  );
  const answer = heterogeneity(effects);
  const against = answer.ok ? answer.value.against : [];
  const adjusted = holm(against.map(({ pValue }) => pValue));
  let place = 0;
  const levels = compared.map(({ level, treated, control }, i): SegmentLevel => {
    const lift = lifts[i] ?? null;
    const at = isTested[i] && answer.ok ? place++ : undefined;
    const contrast = at === undefined ? undefined : against[at];
    return {
      level,
      units: treated.count + control.count,
      absolute: lift?.absolute ?? null,
      relative: lift?.relative ?? null,
      contrast:
        contrast === undefined || at === undefined
          ? null
          : { estimate: contrast.estimate, pValue: contrast.pValue, pValueAdjusted: adjusted[at] as number },
    };
  });
  if (!answer.ok) return { interaction: null, levels };
  const { statistic, degreesOfFreedom, pValue } = answer.value;
  return { interaction: { statistic, degreesOfFreedom, pValue, pValueAdjusted: pValue }, levels };
}

/** Segments are looked at to find something: one family, in which a share of false finds is borne. */
function withAdjusted(reports: readonly SegmentsReport[]): SegmentsReport[] {
  const family = reports.filter(({ interaction }) => interaction !== null);
  const adjusted = benjaminiHochberg(family.map(({ interaction }) => interaction?.pValue ?? 1));
  return reports.map((report) =>
    report.interaction === null
      ? report
      : {
          ...report,
          interaction: { ...report.interaction, pValueAdjusted: adjusted[family.indexOf(report)] as number },
        },
  );
}
