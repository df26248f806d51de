import { canonicalJson } from "../domain/canonical-json.ts";
import type { Experiment, ExperimentDocument } from "../domain/experiment.ts";

type Field = keyof ExperimentDocument;

const fields: readonly Field[] = [
  "description",
  "surface",
  "layer",
  "unit",
  "salt",
  "traffic",
  "status",
  "arms",
  "targeting",
  "overrides",
  "metrics",
];

/** The document inside a kept experiment, its fields in one order. */
export function documentOf(experiment: ExperimentDocument): ExperimentDocument {
  const { id, description, surface, layer, unit, salt, traffic, status, arms, overrides, metrics } =
    experiment;
  const { targeting } = experiment;
  return {
    id,
    description,
    surface,
    layer,
    unit,
    salt,
    traffic,
    status,
    arms,
    ...(targeting === undefined ? {} : { targeting }),
    overrides,
    metrics,
  };
}

/** The fields in which two documents differ; none where they say the same. */
export function changedFields(before: ExperimentDocument, after: ExperimentDocument): readonly Field[] {
  return fields.filter((field) => canonicalJson(before[field]) !== canonicalJson(after[field]));
}

/** One field that a write changes, as it stood and as it stands then; undefined where it is not there. */
export interface FieldChange {
  readonly field: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** What a write makes of an experiment, field by field; of a new one, all that it says. */
export function fieldChanges(before: Experiment | undefined, after: Experiment): readonly FieldChange[] {
  const shown = [...fields, "phase", "killed", "winner"] as const;
  return shown
    .filter((field) => canonicalJson(before?.[field]) !== canonicalJson(after[field]))
    .map((field) => ({ field, before: before?.[field], after: after[field] }));
}

/** `created, running`, or `traffic 0.1 to 0.5, arms; phase 2`: one line for the history. */
export function describeChange(before: Experiment | undefined, after: Experiment): string {
  if (before === undefined) return `created, ${after.status}`;
  const changes = changedFields(before, after).map((field) => {
    const short = field === "traffic" || field === "status";
    return short ? `${field} ${before[field]} to ${after[field]}` : field;
  });
  if (after.killed !== before.killed) {
    changes.push(after.killed === undefined ? "no longer killed" : `killed: ${after.killed}`);
  }
  if (after.winner !== before.winner && after.winner !== undefined) changes.push(`winner ${after.winner}`);
  const phase = after.phase === before.phase ? "" : `; phase ${after.phase}`;
  return `${changes.join(", ")}${phase}`;
}
