/** Impressions as exposures to one experiment, and the units that they make. */

import type { Experiment } from "../domain/experiment.ts";
import { type Dialect, standsAt } from "./dialect.ts";
import { magnitudeMax } from "./exact-moments.ts";
import { microsecondsOf } from "./log-timings.ts";
import type { MetricLayouts } from "./metric-layout.ts";
import { type Relation, table, view } from "./relation.ts";

/** Upper edges of the buckets of the time before the arm's model had its say; the last bucket is open. */
export const latencyEdgesMs: readonly number[] = [1, 2, 5, 10, 20, 50, 100];

/** As what an impression may be asked for by an outcome: of an arm of this phase, or of no part of the experiment. */
export const ofArm = 0;
export const ofPast = 1;

const at = standsAt.join(", ");

/**
 * `exposures`, `first_exposures` (each request once), `forced`, and `units (unit, arm, crossed, impressions, fallbacks,
 * ranked, answer_us, model_us, exposed, began, first_request)`, of which `ranked` are its requests that had candidates, and the
 * microseconds are of these. In the first two `arm` is NULL where the impression does not count for this experiment,
 * `in_phase` where it was no part of it.
 */
export function exposureRelations(
  dialect: Dialect,
  experiment: Experiment,
  layouts: MetricLayouts,
): Relation[] {
  const places = experiment.arms.map((arm, place) => `WHEN ${dialect.text(arm.id)} THEN ${place}`).join(" ");
  const own = dialect.firstWhere("assignments", "one", `one.experiment = ${dialect.text(experiment.id)}`);
  const attributes = layouts.attributes.map((_, i) => `attribute${i}`);
  const carried = [
    ...[
      "surface",
      "latency",
      "ranked",
      "answer_us",
      "model_us",
      "user_id",
      "interleaving",
      "user_attributes",
      "context_attributes",
    ],
    ...attributes,
  ].join(", ");
  const hasPast = layouts.seenPastMs !== undefined;
  return [
    view(
      "exposures",
      `SELECT request, shown_at, model, model_version, items, ${at}, ${carried}, unit, in_phase, overridden, propensity,
              place, fallback, CASE WHEN in_phase AND NOT overridden THEN place END AS arm,
              CASE WHEN in_phase AND NOT overridden AND place IS NOT NULL THEN ${ofArm}
                   ${hasPast ? `WHEN in_phase IS NULL THEN ${ofPast}` : ""} END AS asked_as
       FROM (SELECT *, ${latencyBucket} AS latency, CASE WHEN candidate_count <> 0 THEN 1 ELSE 0 END AS ranked,
                    ${microsecondsOf(wholeAnswer)} AS answer_us, ${microsecondsOf("timings.inference")} AS model_us,
                    ${layouts.attributes.map((one, i) => `${attributeSql(dialect, one)} AS attribute${i},`).join(" ")}
                    assignment.unit AS unit, assignment.phase = ${experiment.phase} AS in_phase,
                    assignment.overridden AS overridden, assignment.propensity AS propensity,
                    CASE assignment.arm ${places} END AS place,
                    CASE WHEN model IS NULL AND candidate_count <> 0 THEN 1 ELSE 0 END AS fallback
             FROM (SELECT *, ${own} AS assignment FROM impressions) assigned) placed`,
    ),
    // Within the experiment only: a page may ask two surfaces under one request id.
    ...laterOnes(dialect, {
      rows: "exposures",
      id: "request",
      kind: "asked_as",
      where: "asked_as IS NOT NULL",
    }),
    view(
      "first_exposures",
      `SELECT request, shown_at, items, ${carried}, unit, fallback, arm, in_phase, asked_as, propensity,
              exposures.log_path, exposures.log_row, exposures.log_file
       FROM exposures ANTI JOIN later_exposures
       ON exposures.log_path = later_exposures.log_path AND exposures.log_row = later_exposures.log_row`,
    ),
    table("forced", "SELECT DISTINCT unit FROM exposures WHERE in_phase AND overridden"),
    // `began`: the first that the unit had of the experiment, in whatever phase.
    table(
      "units",
      `SELECT unit, min(arm) AS arm, min(arm) <> max(arm) AS crossed, count(arm) AS impressions,
              sum(CASE WHEN arm IS NOT NULL THEN fallback END) AS fallbacks,
              sum(CASE WHEN arm IS NOT NULL THEN ranked END) AS ranked,
              sum(CASE WHEN arm IS NOT NULL AND ranked = 1 THEN answer_us ELSE 0 END) AS answer_us,
              sum(CASE WHEN arm IS NOT NULL AND ranked = 1 THEN model_us ELSE 0 END) AS model_us,
              min(CASE WHEN arm IS NOT NULL THEN shown_at END) AS exposed, min(shown_at) AS began,
              ${dialect.least(
                {
                  shown_at: "shown_at",
                  surface: "surface",
                  latency: "latency",
                  ...Object.fromEntries(attributes.map((one) => [one, one])),
                },
                "arm IS NOT NULL",
              )} AS first_request
       FROM first_exposures
       WHERE in_phase IS NOT NULL AND NOT EXISTS (SELECT 1 FROM forced WHERE forced.unit = first_exposures.unit)
       GROUP BY unit HAVING count(arm) > 0`,
    ),
  ];
}

/** Before the arms differ: a slower model changes nothing about it. */
const beforeModel = "timings.assign + timings.features";
const wholeAnswer = "timings.assign + timings.features + timings.queue + timings.inference + timings.rank";
const latencyBucket = `CASE ${latencyEdgesMs.map((edge, i) => `WHEN ${beforeModel} < ${edge}e0 THEN ${i}`).join(" ")}
  WHEN ${beforeModel} IS NOT NULL THEN ${latencyEdgesMs.length} END`;

/** A number as it is, a bool as 1 or 0, NULL where it is neither. */
function attributeSql(dialect: Dialect, attribute: string): string {
  const [entity, ...name] = attribute.split(".");
  const text = dialect.mapValue(`${entity}_attributes`, dialect.text(name.join(".")));
  const number = `(${dialect.numberIn(text)})`;
  return `CASE ${text} WHEN 'true' THEN 1e0 WHEN 'false' THEN 0e0 ELSE CASE WHEN abs(${number}) < ${magnitudeMax} THEN ${number} END END`;
}

/**
 * `later_<rows>`: where rows stand whose id an earlier row has, one of the same kind where there are kinds. Found by
 * fingerprint first, which needs a fraction of the memory that the ids would; the ids decide.
 */
export function laterOnes(
  dialect: Dialect,
  {
    rows,
    id,
    kind,
    where,
  }: {
    readonly rows: string;
    readonly id: string;
    readonly kind: string | undefined;
    readonly where: string;
  },
): Relation[] {
  const kept = kind === undefined ? "" : `, ${kind}`;
  return [
    table(
      `repeated_${rows}`,
      `SELECT fingerprint FROM (SELECT ${dialect.fingerprint(id)} AS fingerprint FROM ${rows} WHERE ${where}) ids
       GROUP BY fingerprint HAVING count(*) > 1`,
    ),
    table(
      `later_${rows}`,
      `SELECT log_path, log_row${kept}
       FROM (SELECT log_path, log_row${kept}, row_number() OVER (PARTITION BY ${id}${kept} ORDER BY ${at}) AS nth
             FROM ${rows} WHERE ${where}
             AND ${dialect.fingerprint(id)} IN (SELECT fingerprint FROM repeated_${rows})) numbered
       WHERE nth > 1`,
    ),
  ];
}
