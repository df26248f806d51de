import { invalidArgument } from "../domain/error.ts";
import type { ExperimentDocument, Prerequisite, Unit } from "../domain/experiment.ts";
import { nearest } from "../schema/schema.ts";
import { drawnArms } from "./interleaved-arm.ts";

/**
 * Holds a document's prerequisites against the other experiments, and its arms against theirs.
 * @throws {SetlistError} INVALID_ARGUMENT where one names an experiment or an arm that does not exist, one that no unit
 *   could be in as well, where following them leads back to the document, or where too many stand in a row.
 */
export function checkPrerequisites(
  document: ExperimentDocument,
  others: readonly ExperimentDocument[],
): void {
  const known = new Map(others.map((other) => [other.id, other]));
  const seen = new Set<string>();
  for (const [index, prerequisite] of (document.prerequisites ?? []).entries()) {
    const field = `prerequisites[${index}]`;
    const asked = prerequisite.experiment;
    if (seen.has(asked))
      throw invalidArgument(`${field}.experiment: ${asked} stands there already; name all its arms in one`);
    seen.add(asked);
    const way = wayTo(document.id, asked, known);
    if (way !== undefined) {
      throw invalidArgument(
        `${field}.experiment: a circle, ${[document.id, ...way].join(" -> ")}: nobody could enter`,
      );
    }
    const other = known.get(asked);
    if (other === undefined) {
      throw invalidArgument(
        `${field}.experiment: no experiment ${JSON.stringify(asked)}${nearest(asked, [...known.keys()])}`,
      );
    }
    checkPair(document, other, prerequisite, field);
  }
  if (seen.size > 0) checkRow(document, others);
  checkDependents(document, others);
}

/** Experiments of which each asks for the one before it. Deciding the last decides them all, a call within a call each. */
const rowMax = 16;

/** Of experiments in a circle there is none by now. */
function checkRow(document: ExperimentDocument, others: readonly ExperimentDocument[]): void {
  const asked = new Map<string, string[]>();
  const askedBy = new Map<string, string[]>();
  for (const { id, prerequisites = [] } of [document, ...others]) {
    const before = prerequisites.map(({ experiment }) => experiment);
    asked.set(id, before);
    for (const one of before) {
      const known = askedBy.get(one);
      if (known === undefined) askedBy.set(one, [id]);
      else known.push(id);
    }
  }
  const row = longestFrom(document.id, asked) + 1 + longestFrom(document.id, askedBy);
  if (row <= rowMax) return;
  throw invalidArgument(
    `prerequisites: expected at most ${rowMax} experiments in a row, each of which asks for the one before, got ${row}`,
  );
}

/** How many follow `start` on the longest way. */
function longestFrom(start: string, next: ReadonlyMap<string, readonly string[]>): number {
  const known = new Map<string, number>();
  const follow = (id: string): number => {
    const found = known.get(id);
    if (found !== undefined) return found;
    const length = Math.max(0, ...(next.get(id) ?? []).map((one) => 1 + follow(one)));
    known.set(id, length);
    return length;
  };
  return follow(start);
}

function checkPair(
  document: ExperimentDocument,
  other: ExperimentDocument,
  { arms }: Prerequisite,
  field: string,
): void {
  const known = drawnArms(other);
  const unknown = arms.find((arm) => !known.includes(arm));
  if (unknown !== undefined) {
    const place = `${field}.arms[${arms.indexOf(unknown)}]`;
    throw invalidArgument(
      `${place}: ${other.id} has no arm ${JSON.stringify(unknown)}${nearest(unknown, known)}`,
    );
  }
  if (other.layer === document.layer) {
    throw invalidArgument(
      `${field}.experiment: ${other.id} is of the same layer, ${other.layer}, so that no unit is in both`,
    );
  }
  if (!isWithin(document.unit, other.unit)) {
    throw invalidArgument(
      `${field}.experiment: ${other.id} splits by ${other.unit}, so that one ${document.unit} could be in and out of it`,
    );
  }
}

/** Each session and each request is one user's; of attributes nobody knows. */
function isWithin(unit: Unit, other: Unit): boolean {
  return unit === other || (other === "user" && (unit === "session" || unit === "request"));
}

/** What another asks of this document must still be there after it was changed. */
function checkDependents(document: ExperimentDocument, others: readonly ExperimentDocument[]): void {
  const arms = drawnArms(document);
  for (const other of others) {
    if (other.status === "stopped") continue;
    for (const { experiment, arms: asked } of other.prerequisites ?? []) {
      if (experiment !== document.id) continue;
      const missing = asked.find((arm) => !arms.includes(arm));
      if (missing !== undefined) {
        throw invalidArgument(
          `arms: expected ${missing} to stay, which ${other.id} asks for as a prerequisite`,
        );
      }
      if (other.layer === document.layer) {
        throw invalidArgument(
          `layer: ${other.id} of ${other.layer} asks for ${document.id}, so no unit could be in it`,
        );
      }
      if (!isWithin(other.unit, document.unit)) {
        throw invalidArgument(
          `unit: ${other.id} asks for ${document.id} and splits by ${other.unit}, of which one could be in and out of it`,
        );
      }
    }
  }
}

/** The experiments from `start` back to `target` along prerequisites, both named; undefined where there is no way. */
function wayTo(
  target: string,
  start: string,
  known: ReadonlyMap<string, ExperimentDocument>,
): readonly string[] | undefined {
  const seen = new Set<string>();
  const follow = (id: string): readonly string[] | undefined => {
    if (id === target) return [id];
    if (seen.has(id)) return undefined;
    seen.add(id);
    for (const { experiment } of known.get(id)?.prerequisites ?? []) {
      const rest = follow(experiment);
      if (rest !== undefined) return [id, ...rest];
    }
    return undefined;
  };
  return follow(start);
}
