import { invalidArgument } from "../domain/error.ts";
import type { ExperimentDocument } from "../domain/experiment.ts";
import { parseExperimentDocument } from "../experiments/experiments.ts";

/** A document as it came in. */
export interface WrittenDocument {
  readonly document: ExperimentDocument;
  readonly saysStatus: boolean;
  readonly saysTraffic: boolean;
  /** The one that it says it was read at. */
  readonly revision: number | undefined;
}

/** What the store adds to a document and shows with it; whoever sends back what was read need not take it out. */
const shownOnly = ["revision", "phase", "ranges", "killed", "winner", "breach", "change"];

/**
 * @param id of the address, for a document that need not repeat it.
 * @param what names the document in messages about the whole of it.
 * @throws {SetlistError} INVALID_ARGUMENT with the field and what was expected.
 */
export function writtenDocument(written: unknown, id: string | undefined, what = "body"): WrittenDocument {
  if (written === null || typeof written !== "object" || Array.isArray(written)) {
    throw invalidArgument(`${what}: expected an experiment's fields`);
  }
  const { revision } = written as { revision?: unknown };
  if (revision !== undefined && !(Number.isSafeInteger(revision) && (revision as number) >= 0)) {
    throw invalidArgument("revision: expected a whole number from 0");
  }
  const said = Object.entries(written).filter(([field]) => !shownOnly.includes(field));
  const document = parseExperimentDocument(
    { ...(id !== undefined && { id }), ...Object.fromEntries(said) },
    "body",
  );
  if (id !== undefined && document.id !== id) {
    throw invalidArgument(`id: expected ${id}, as the address says, got ${document.id}; an id cannot change`);
  }
  return {
    document,
    saysStatus: Object.hasOwn(written, "status"),
    saysTraffic: Object.hasOwn(written, "traffic"),
    revision: revision as number | undefined,
  };
}
