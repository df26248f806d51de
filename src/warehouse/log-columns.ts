/** The records of a segment as columns: the tables they are staged in, and the Parquet rows they become. */
import {
  BOOLEAN,
  DOUBLE,
  type DuckDBValue,
  INTEGER,
  LIST,
  listValue,
  STRUCT,
  structValue,
  VARCHAR,
} from "@duckdb/node-api";
import type { Partitioned } from "../columnar/columnar.ts";
import type { CounterfactualRecord } from "../domain/counterfactual.ts";
import type { Impression } from "../domain/impression.ts";
import type { Interleaving } from "../domain/interleaving.ts";
import type { Outcome } from "../domain/outcome.ts";
import type { ShadowComparison } from "../domain/shadow.ts";

const assignmentsType = LIST(
  STRUCT({
    experiment: VARCHAR,
    arm: VARCHAR,
    layer: VARCHAR,
    phase: INTEGER,
    unit: VARCHAR,
    propensity: DOUBLE,
    overridden: BOOLEAN,
  }),
);

/** Beside the items, not within them: a reader that knows their columns reads them as before. */
const interleavingType = STRUCT({
  id: VARCHAR,
  arms: LIST(STRUCT({ arm: VARCHAR, model: VARCHAR, model_version: VARCHAR })),
  teams: LIST(VARCHAR),
  competitive: LIST(BOOLEAN),
});

/** The tables that are published. */
export const logTables = ["impressions", "outcomes", "shadows", "counterfactuals"] as const;
export type LogTable = (typeof logTables)[number];

export const stagingTables: readonly string[] = [
  `CREATE TABLE impressions (date VARCHAR, n INTEGER, request VARCHAR, "at" DOUBLE, surface VARCHAR, "user" VARCHAR,
    model VARCHAR, model_version VARCHAR, assignments STRUCT(experiment VARCHAR, arm VARCHAR, layer VARCHAR,
    phase INTEGER, unit VARCHAR, propensity DOUBLE, overridden BOOLEAN)[], degraded VARCHAR[], candidate_count INTEGER,
    user_features VARCHAR, context_features VARCHAR, interleaving STRUCT(id VARCHAR, arms STRUCT(arm VARCHAR,
    model VARCHAR, model_version VARCHAR)[], teams VARCHAR[], competitive BOOLEAN[]))`,
  `CREATE TABLE items (n INTEGER, id VARCHAR, "position" INTEGER, score DOUBLE, features VARCHAR)`,
  `CREATE TABLE outcomes (date VARCHAR, n INTEGER, outcome VARCHAR, request VARCHAR, item VARCHAR, type VARCHAR,
    value DOUBLE, occurred_at DOUBLE)`,
  `CREATE TABLE shadows (date VARCHAR, n INTEGER, request VARCHAR, "at" DOUBLE, surface VARCHAR, model VARCHAR,
    model_version VARCHAR, shadow VARCHAR, shadow_version VARCHAR, candidate_count INTEGER, tau DOUBLE, top_k INTEGER,
    overlap DOUBLE, score_difference DOUBLE)`,
  `CREATE TABLE counterfactuals (date VARCHAR, n INTEGER, request VARCHAR, "at" DOUBLE, surface VARCHAR,
    experiment VARCHAR, phase INTEGER, arm VARCHAR, model VARCHAR, model_version VARCHAR, other VARCHAR,
    other_model VARCHAR, other_model_version VARCHAR, propensity DOUBLE, candidate_count INTEGER, top_k INTEGER,
    overlap DOUBLE, agreeing INTEGER, other_ids VARCHAR[])`,
];

export const impressionTypes = [
  VARCHAR,
  INTEGER,
  VARCHAR,
  DOUBLE,
  VARCHAR,
  VARCHAR,
  VARCHAR,
  VARCHAR,
  assignmentsType,
  LIST(VARCHAR),
  INTEGER,
  VARCHAR,
  VARCHAR,
  interleavingType,
];
export const itemTypes = [INTEGER, VARCHAR, INTEGER, DOUBLE, VARCHAR];
export const outcomeTypes = [VARCHAR, INTEGER, VARCHAR, VARCHAR, VARCHAR, VARCHAR, DOUBLE, DOUBLE];
export const shadowTypes = [
  VARCHAR,
  INTEGER,
  VARCHAR,
  DOUBLE,
  VARCHAR,
  VARCHAR,
  VARCHAR,
  VARCHAR,
  VARCHAR,
  INTEGER,
  DOUBLE,
  INTEGER,
  DOUBLE,
  DOUBLE,
];

export const counterfactualTypes = [
  VARCHAR,
  INTEGER,
  VARCHAR,
  DOUBLE,
  VARCHAR,
  VARCHAR,
  INTEGER,
  VARCHAR,
  VARCHAR,
  VARCHAR,
  VARCHAR,
  VARCHAR,
  VARCHAR,
  DOUBLE,
  INTEGER,
  INTEGER,
  DOUBLE,
  INTEGER,
  LIST(VARCHAR),
];

/** The columns behind `date` and `n`. */
export function impressionValues(impression: Impression): DuckDBValue[] {
  const { model, sent, interleaving } = impression;
  return [
    impression.requestId,
    impression.at,
    impression.surface,
    impression.userId,
    model?.name ?? null,
    model?.version ?? null,
    listValue(impression.assignments.map((assignment) => structValue({ ...assignment }))),
    listValue([...impression.degraded]),
    impression.candidateCount,
    sent?.user === undefined ? null : JSON.stringify(sent.user),
    sent?.context === undefined ? null : JSON.stringify(sent.context),
    interleaving === undefined ? null : interleavingValue(interleaving),
  ];
}

function interleavingValue({ id, arms, slots }: Interleaving): DuckDBValue {
  return structValue({
    id,
    arms: listValue(
      arms.map(({ arm, model }) => structValue({ arm, model: model.name, model_version: model.version })),
    ),
    teams: listValue(slots.map(({ team }) => team ?? null)),
    competitive: listValue(slots.map(({ competitive }) => competitive)),
  });
}

/** The columns behind `date` and `n`. */
export function outcomeValues(outcome: Outcome): DuckDBValue[] {
  const { outcomeId, requestId, itemId, type, value, occurredAt } = outcome;
  return [outcomeId, requestId, itemId, type, value, occurredAt];
}

/** The columns behind `date` and `n`. */
export function shadowValues(comparison: ShadowComparison): DuckDBValue[] {
  const { model, shadow, tau, topK } = comparison;
  return [
    comparison.requestId,
    comparison.at,
    comparison.surface,
    model.name,
    model.version,
    shadow.name,
    shadow.version,
    comparison.candidateCount,
    tau ?? null,
    topK,
    comparison.overlap,
    comparison.scoreDifference,
  ];
}

/** The columns behind `date` and `n`. */
export function counterfactualValues(record: CounterfactualRecord): DuckDBValue[] {
  const { model, otherModel } = record;
  return [
    record.requestId,
    record.at,
    record.surface,
    record.experiment,
    record.phase,
    record.arm,
    model.name,
    model.version,
    record.other,
    otherModel.name,
    otherModel.version,
    record.propensity,
    record.candidateCount,
    record.topK,
    record.overlap,
    record.agreeing,
    listValue([...record.otherIds]),
  ];
}

/**
 * What is published: one row an impression with its items in a list, one row an outcome, one a comparison, in the order
 * of the log.
 */
export function tablesOf(dates: Readonly<Record<LogTable, ReadonlySet<string>>>): Partitioned[] {
  return [
    {
      folder: "impressions",
      dates: [...dates.impressions].sort(),
      rows: (
        date,
      ) => `SELECT request, ${timestamp('"at"')} AS "at", surface, "user", model, model_version, assignments,
        degraded, candidate_count, user_features, context_features, coalesce(items, []) AS items, interleaving
        FROM (SELECT * FROM impressions WHERE date = '${date}') LEFT JOIN (SELECT n, list(struct_pack(id := id,
        "position" := "position", score := score, features := features) ORDER BY rowid) AS items
        FROM items GROUP BY n) USING (n) ORDER BY n`,
    },
    {
      folder: "outcomes",
      dates: [...dates.outcomes].sort(),
      rows: (date) => `SELECT outcome, request, item, type, value, ${timestamp("occurred_at")} AS occurred_at
        FROM outcomes WHERE date = '${date}' ORDER BY n`,
    },
    {
      folder: "shadows",
      dates: [...dates.shadows].sort(),
      rows: (date) => `SELECT request, ${timestamp('"at"')} AS "at", surface, model, model_version, shadow,
        shadow_version, candidate_count, tau, top_k, overlap, score_difference
        FROM shadows WHERE date = '${date}' ORDER BY n`,
    },
    {
      folder: "counterfactuals",
      dates: [...dates.counterfactuals].sort(),
      rows: (date) => `SELECT request, ${timestamp('"at"')} AS "at", surface, experiment, phase, arm, model,
        model_version, other, other_model, other_model_version, propensity, candidate_count, top_k, overlap, agreeing,
        other_ids FROM counterfactuals WHERE date = '${date}' ORDER BY n`,
    },
  ];
}

/** Milliseconds since 1970, UTC, as a TIMESTAMP. */
function timestamp(column: string): string {
  return `make_timestamp((${column} * 1000)::BIGINT)`;
}
