import type { LogRecord } from "../domain/outcome-log.ts";

/** The topic of each kind of record, behind the prefix. */
const names: Readonly<Record<LogRecord["kind"], string>> = {
  impression: "impressions",
  outcome: "outcomes",
  shadow: "shadows",
  counterfactual: "counterfactuals",
};

export type RecordTopics = Readonly<Record<LogRecord["kind"], string>>;

export function topicsOf(prefix: string): RecordTopics {
  return Object.fromEntries(
    Object.entries(names).map(([kind, name]) => [kind, `${prefix}.${name}`]),
  ) as RecordTopics;
}
