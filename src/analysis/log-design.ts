import type { Relation } from "./dialect.ts";

/** Named so that no design's question can stand for one of the analysis itself. */
export type DesignQuery = `design_${string}`;

/**
 * Something else to be asked of an experiment's log, in the same session as the arms' means. Its relations may read
 * those that `logStatements` makes: `first_exposures`, `units`, `happened`, `unit_values`, ….
 */
export interface LogDesign {
  readonly readsCounterfactuals?: boolean | undefined;
  /** `is_active` of `happened`. */
  readonly readsActivity?: boolean | undefined;
  readonly relations: readonly Relation[];
  /** Each answers few rows. */
  readonly queries: Readonly<Record<DesignQuery, string>>;
}

export function view(name: string, query: string): Relation {
  return { name, query, kept: false };
}

export function table(name: string, query: string): Relation {
  return { name, query, kept: true };
}
