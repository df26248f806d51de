/** The records of a segment as columns: what each is called, its type, and where a record has it. */
import { BOOLEAN, DOUBLE, type DuckDBType, INTEGER, LIST, STRUCT, VARCHAR } from "@duckdb/node-api";
import type { Cell } from "../columnar/columnar.ts";
import type { Assignment } from "../domain/assignment.ts";
import type { CounterfactualRecord } from "../domain/counterfactual.ts";
import type { Impression } from "../domain/impression.ts";
import type { Interleaving } from "../domain/interleaving.ts";
import type { Outcome } from "../domain/outcome.ts";
import type { ShadowComparison } from "../domain/shadow.ts";
import {
  attributes,
  attributesCell,
  beyondLimit,
  beyondLimitCell,
  served,
  servedCell,
  taskScores,
  taskScoresCell,
  timings,
  timingsCell,
} from "./record-detail-columns.ts";

export interface Column<Record> {
  readonly name: string;
  /** `INSTANT` is staged as a number, ms since 1970, UTC, and published as a TIMESTAMP. */
  readonly type: DuckDBType | typeof INSTANT;
  readonly of: (record: Record) => Cell;
}

export const INSTANT = "instant";

/** The tables that are published. */
export const logTables = ["impressions", "outcomes", "shadows", "counterfactuals"] as const;
export type LogTable = (typeof logTables)[number];

const assignments = LIST(
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
const interleaving = STRUCT({
  id: VARCHAR,
  arms: LIST(STRUCT({ arm: VARCHAR, model: VARCHAR, model_version: VARCHAR })),
  teams: LIST(VARCHAR),
  competitive: LIST(BOOLEAN),
});

const items = LIST(STRUCT({ id: VARCHAR, position: INTEGER, score: DOUBLE, features: VARCHAR }));

export const impressionColumns: readonly Column<Impression>[] = [
  { name: "request", type: VARCHAR, of: (it) => it.requestId },
  { name: "at", type: INSTANT, of: (it) => it.at },
  { name: "surface", type: VARCHAR, of: (it) => it.surface },
  { name: "user", type: VARCHAR, of: (it) => it.userId },
  { name: "model", type: VARCHAR, of: (it) => it.model?.name },
  { name: "model_version", type: VARCHAR, of: (it) => it.model?.version },
  { name: "assignments", type: assignments, of: (it) => it.assignments.map(assignmentCell) },
  { name: "degraded", type: LIST(VARCHAR), of: (it) => it.degraded },
  { name: "candidate_count", type: INTEGER, of: (it) => it.candidateCount },
  { name: "user_features", type: VARCHAR, of: (it) => json(it.sent?.user) },
  { name: "context_features", type: VARCHAR, of: (it) => json(it.sent?.context) },
  { name: "items", type: items, of: itemCells },
  {
    name: "interleaving",
    type: interleaving,
    of: (it) => it.interleaving && interleavingCell(it.interleaving),
  },
  { name: "timings", type: timings, of: timingsCell },
  { name: "task_scores", type: taskScores, of: taskScoresCell },
  { name: "user_attributes", type: attributes, of: (it) => attributesCell(it.attributes?.user) },
  { name: "context_attributes", type: attributes, of: (it) => attributesCell(it.attributes?.context) },
  { name: "beyond_limit", type: beyondLimit, of: (it) => beyondLimitCell(it.beyondLimit) },
  { name: "served", type: served, of: (it) => servedCell(it.served) },
];

export const outcomeColumns: readonly Column<Outcome>[] = [
  { name: "outcome", type: VARCHAR, of: (it) => it.outcomeId },
  { name: "request", type: VARCHAR, of: (it) => it.requestId },
  { name: "item", type: VARCHAR, of: (it) => it.itemId },
  { name: "type", type: VARCHAR, of: (it) => it.type },
  { name: "value", type: DOUBLE, of: (it) => it.value },
  { name: "occurred_at", type: INSTANT, of: (it) => it.occurredAt },
];

export const shadowColumns: readonly Column<ShadowComparison>[] = [
  { name: "request", type: VARCHAR, of: (it) => it.requestId },
  { name: "at", type: INSTANT, of: (it) => it.at },
  { name: "surface", type: VARCHAR, of: (it) => it.surface },
  { name: "model", type: VARCHAR, of: (it) => it.model.name },
  { name: "model_version", type: VARCHAR, of: (it) => it.model.version },
  { name: "shadow", type: VARCHAR, of: (it) => it.shadow.name },
  { name: "shadow_version", type: VARCHAR, of: (it) => it.shadow.version },
  { name: "candidate_count", type: INTEGER, of: (it) => it.candidateCount },
  { name: "tau", type: DOUBLE, of: (it) => it.tau },
  { name: "top_k", type: INTEGER, of: (it) => it.topK },
  { name: "overlap", type: DOUBLE, of: (it) => it.overlap },
  { name: "score_difference", type: DOUBLE, of: (it) => it.scoreDifference },
];

export const counterfactualColumns: readonly Column<CounterfactualRecord>[] = [
  { name: "request", type: VARCHAR, of: (it) => it.requestId },
  { name: "at", type: INSTANT, of: (it) => it.at },
  { name: "surface", type: VARCHAR, of: (it) => it.surface },
  { name: "experiment", type: VARCHAR, of: (it) => it.experiment },
  { name: "phase", type: INTEGER, of: (it) => it.phase },
  { name: "arm", type: VARCHAR, of: (it) => it.arm },
  { name: "model", type: VARCHAR, of: (it) => it.model.name },
  { name: "model_version", type: VARCHAR, of: (it) => it.model.version },
  { name: "other", type: VARCHAR, of: (it) => it.other },
  { name: "other_model", type: VARCHAR, of: (it) => it.otherModel.name },
  { name: "other_model_version", type: VARCHAR, of: (it) => it.otherModel.version },
  { name: "propensity", type: DOUBLE, of: (it) => it.propensity },
  { name: "candidate_count", type: INTEGER, of: (it) => it.candidateCount },
  { name: "top_k", type: INTEGER, of: (it) => it.topK },
  { name: "overlap", type: DOUBLE, of: (it) => it.overlap },
  { name: "agreeing", type: INTEGER, of: (it) => it.agreeing },
  { name: "other_ids", type: LIST(VARCHAR), of: (it) => it.otherIds },
];

function assignmentCell(assignment: Assignment): Cell {
  const { experiment, arm, layer, phase, unit, propensity, overridden } = assignment;
  return { experiment, arm, layer, phase, unit, propensity, overridden };
}

function itemCells({ items: ranked, sent }: Impression): Cell {
  const features = sent?.items;
  return ranked.map(({ id, position, score }, place) => ({
    id,
    position,
    score,
    features: json(features?.[place]),
  }));
}

function interleavingCell({ id, arms, slots }: Interleaving): Cell {
  return {
    id,
    arms: arms.map(({ arm, model }) => ({ arm, model: model.name, model_version: model.version })),
    teams: slots.map(({ team }) => team),
    competitive: slots.map(({ competitive }) => competitive),
  };
}

function json(value: object | undefined): string | undefined {
  return value && JSON.stringify(value);
}
