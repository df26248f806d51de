import { canonicalJson } from "../domain/canonical-json.ts";
import type { Experiment, ExperimentDocument } from "../domain/experiment.ts";
import type { Breach } from "../domain/guardrail.ts";

type Field = keyof ExperimentDocument;

const fields: readonly Field[] = [
  "description",
  "kind",
  "surface",
  "layer",
  "unit",
  "salt",
  "traffic",
  "status",
  "arms",
  "targeting",
  "prerequisites",
  "sticky",
  "overrides",
  "metrics",
  "plan",
  "stratify",
  "attributionWindow",
  "counterfactual",
  "ramp",
  "guardrails",
];

/** The document inside a kept experiment, its fields in one order. */
export function documentOf(experiment: ExperimentDocument): ExperimentDocument {
  const { id, description, surface, layer, unit, salt, traffic, status, arms, overrides, metrics } =
    experiment;
  const {
    kind,
    targeting,
    prerequisites,
    sticky,
    plan,
    stratify,
    attributionWindow,
    counterfactual,
    ramp,
    guardrails,
  } = experiment;
  return {
    id,
    ...(kind === undefined ? {} : { kind }),
    description,
    surface,
    layer,
    unit,
    salt,
    traffic,
    status,
    arms,
    ...(targeting === undefined ? {} : { targeting }),
    ...(prerequisites === undefined ? {} : { prerequisites }),
    ...(sticky === undefined ? {} : { sticky }),
    overrides,
    metrics,
    ...(plan === undefined ? {} : { plan }),
    ...(stratify === undefined ? {} : { stratify }),
    ...(attributionWindow === undefined ? {} : { attributionWindow }),
    ...(counterfactual === undefined ? {} : { counterfactual }),
    ...(ramp === undefined ? {} : { ramp }),
    ...(guardrails === undefined ? {} : { guardrails }),
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
  const shown = [...fields, "phase", "killed", "winner", "breach"] as const;
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
  const { breach } = after;
  if (before.breach !== undefined && breach === undefined && before.killed === undefined) {
    changes.push(`no longer held by guardrail ${before.breach.guardrail}`);
  }
  if (breach?.action === "hold" && before.breach === undefined) {
    changes.push(`held by ${describeBreach(breach)}`);
  }
  if (after.winner !== before.winner && after.winner !== undefined) changes.push(`winner ${after.winner}`);
  const phase = after.phase === before.phase ? "" : `; phase ${after.phase}`;
  return `${changes.join(", ")}${phase}`;
}

/** `guardrail latency-p99: arm slow: …; thanks to ada`: the reason, what it was seen by, and whose guardrail it is. */
export function describeBreach({ guardrail, alpha, since, evidence, thanks }: Breach): string {
  const { arm, detail } = evidence;
  return `guardrail ${guardrail}: arm ${arm}: ${detail} (since ${since}, alpha ${Number(alpha.toPrecision(3))}); thanks to ${thanks}`;
}
