/** Lift by what was logged of a unit at its first exposure: nothing that came later could tell the arms apart. */
import type { Experiment } from "../domain/experiment.ts";
import { benjaminiHochberg, heterogeneity, holm, type JointMoments } from "../statistics/statistics.ts";
import { type AskedDesign, comparedArms, liftOf } from "./asked-design.ts";
import { type DesignMetric, designMetrics, estimateOf, leftOutWarnings, ownPairs } from "./design-metrics.ts";
import type { Dialect } from "./dialect.ts";
import type { ResultRow } from "./engine.ts";
import { momentsIn, momentsQuery } from "./exact-moments.ts";
import { table, view } from "./log-design.ts";
import { metricLayouts } from "./metric-layout.ts";
import type { SegmentLevel, SegmentsReport } from "./report-designs.ts";
import { unitValuesOf } from "./unit-values.ts";

/** An attribute as targeting names it, or how much a unit did in the 14 days before its first exposure. */
export type SegmentAttribute =
  | { readonly of: "user" | "context"; readonly name: string }
  | { readonly of: "activity" };

/** Levels that stand alone; with more, few units are left in each, and many tests ask for strong evidence. */
const levelsMax = 12;

/** Where there are more, and nearly all units that have any have a number, the levels are bins of as many units each. */
const binsCount = 5;
const numbersShareMin = 0.95;

/** Behind the bins of numbers: what is none, and nothing. */
const binOfText = binsCount;
const binOfNothing = binsCount + 1;

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
  const first = attributes.flatMap((attribute, i) =>
    attribute.of === "activity"
      ? []
      : [
          `min_by(coalesce(${attribute.of}_attributes[${dialect.text(attribute.name)}], ''), (shown_at, log_file, log_path, log_row)) AS a${i}`,
        ],
  );
  const unitAttributes = `SELECT ${["unit", ...first].join(", ")} FROM first_exposures WHERE arm IS NOT NULL GROUP BY unit`;
  const levels = attributes.map(
    (_, i) => `
      SELECT ${i} AS attribute, a${i} AS level, ${dialect.numberIn(`a${i}`)} AS number, count(*) AS units
      FROM units JOIN unit_attributes ON unit_attributes.unit = units.unit WHERE NOT crossed GROUP BY a${i}`,
  );
  const cells = attributes.map(
    (_, i) => `
      SELECT CAST((${i * (levelsMax + 1)} + least(nth, ${levelsMax})) * ${arms.length} + arm AS INTEGER) AS arm,
             ${places.map((place, i) => `v${place} AS v${i}`).join(", ")}
      FROM ${units} JOIN unit_attributes ON unit_attributes.unit = ${units}.unit
      JOIN segment_levels ON attribute = ${i} AND level = a${i}`,
  );
  const placesOf = ({ inLayout }: DesignMetric): number[] => inLayout.map((place) => places.indexOf(place));
  return {
    design: {
      readsActivity,
      relations: [
        ...(readsActivity
          ? [
              view(
                "unit_activity",
                "SELECT unit, count(*) AS done FROM happened WHERE is_active GROUP BY unit",
              ),
              table(
                "unit_attributes",
                `SELECT asked.*, ${attributes.flatMap(({ of }, i) => (of === "activity" ? [`CAST(coalesce(done, 0) AS STRING) AS a${i}`] : [])).join(", ")}
                 FROM (${unitAttributes}) asked LEFT JOIN unit_activity ON unit_activity.unit = asked.unit`,
              ),
            ]
          : [table("unit_attributes", unitAttributes)]),
        table("segment_texts", levels.join(" UNION ALL ")),
        view(
          "segment_kinds",
          `SELECT attribute AS of_attribute, count(*) FILTER (WHERE level <> '') > ${levelsMax}
                  AND coalesce(sum(units) FILTER (WHERE number IS NOT NULL), 0)
                      >= ${numbersShareMin}e0 * sum(units) FILTER (WHERE level <> '') AS binned
           FROM segment_texts GROUP BY attribute`,
        ),
        // By the middle of the units that have the same number: these are never torn apart.
        view(
          "segment_bins",
          `SELECT attribute, level, number, units, binned,
                  CASE WHEN level = '' THEN ${binOfNothing} WHEN number IS NULL THEN ${binOfText}
                       ELSE CAST(floor(${binsCount}e0 * (through - same / 2e0) / numbers) AS INTEGER) END AS bin
           FROM (SELECT *, sum(numbered) OVER (PARTITION BY attribute ORDER BY number) AS through,
                        sum(numbered) OVER (PARTITION BY attribute, number) AS same,
                        sum(numbered) OVER (PARTITION BY attribute) AS numbers
                 FROM (SELECT *, CASE WHEN number IS NULL THEN 0 ELSE units END AS numbered FROM segment_texts) texts) summed
           JOIN segment_kinds ON of_attribute = attribute`,
        ),
        table(
          "segment_levels",
          `SELECT attribute, level, number, CASE WHEN binned THEN bin END AS bin,
                  CASE WHEN binned THEN dense_rank() OVER (PARTITION BY attribute ORDER BY bin)
                       ELSE row_number() OVER (PARTITION BY attribute ORDER BY units DESC, level) END - 1 AS nth
           FROM segment_bins`,
        ),
        table("segment_values", cells.join(" UNION ALL ")),
      ],
      queries: {
        design_levels: `
          SELECT attribute, nth, min(level) AS level, min(bin) AS bin, min(number) AS low, max(number) AS high
          FROM segment_levels WHERE nth <= ${levelsMax} GROUP BY attribute, nth`,
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
      const untested = reports.filter(({ interaction }) => interaction === null);
      return {
        sections: { segments: withAdjusted(reports) },
        warnings: [
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
    const name = nth === levelsMax ? "(others)" : (binName(row) ?? level);
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
    liftOf(estimateOf(metric, treated), estimateOf(metric, control), alpha),
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
