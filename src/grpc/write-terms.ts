import { invalidArgument } from "../domain/error.ts";
import { type By, confirmationsOf, type MadeChange, writerOf } from "../rollout/rollout.ts";
import type { Call } from "./unary.ts";

/** What every message of a write says; what is not set is not there. */
export interface WriteTerms {
  readonly revision?: number;
  readonly dryRun?: boolean;
  readonly confirm?: readonly string[];
}

export function byOf({ dryRun = false, confirm = [] }: WriteTerms, call: Call): By {
  return { who: writerOf(call.header("setlist-actor")), dryRun, confirmed: confirmationsOf(confirm) };
}

/** @throws {SetlistError} INVALID_ARGUMENT where it is missing. */
export function revisionOf({ revision }: WriteTerms): number {
  if (revision !== undefined) return revision;
  throw invalidArgument("revision: expected the one that was read, but missing");
}

export function wireChange({ what, fields, dryRun }: MadeChange): object {
  return {
    what,
    dryRun,
    fields: fields.map(({ field, before, after }) => ({
      field,
      ...(before !== undefined && { before: JSON.stringify(before) }),
      ...(after !== undefined && { after: JSON.stringify(after) }),
    })),
  };
}
