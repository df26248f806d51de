import { type ApiCaller, actor } from "./api-caller.ts";
import type { AcknowledgedRevision } from "./experiment-changes.ts";
import type { Ledger } from "./ledger.ts";

/** The experiments' histories beside what was acknowledged. */
export interface HistoryAudit {
  readonly revisions: number;
  readonly acknowledged: number;
  /** Acknowledged and not in the history, or there under another name. */
  readonly lost: readonly string[];
  /** There under our name, and never acknowledged. */
  readonly unknown: readonly string[];
  /** Experiments whose guardrail did not kill them. */
  readonly unharmed: readonly string[];
}

interface Revision {
  readonly experiment: { readonly revision: number };
  readonly who: string;
}

/** Reads every history; what the server did by itself, and how many revisions there are, go into the ledger. */
export async function auditHistories(
  { call }: ApiCaller,
  changes: { readonly acknowledged: readonly AcknowledgedRevision[]; readonly guarded: readonly string[] },
  ledger: Ledger,
): Promise<HistoryAudit> {
  const { experiments } = JSON.parse((await call("GET", "/v1/experiments")).text) as {
    experiments: { id: string }[];
  };
  const { surfaces } = JSON.parse((await call("GET", "/v1/surfaces")).text) as {
    surfaces: { revision: number }[];
  };
  const ours = new Set(changes.acknowledged.map(({ experiment, revision }) => `${experiment} ${revision}`));
  const written = new Set<string>();
  const killed = new Set<string>();
  let revisions = surfaces.reduce((sum, { revision }) => sum + revision, 0);
  for (const { id } of experiments) {
    const { text } = await call("GET", "/v1/experiments/:id/history", `/v1/experiments/${id}/history`);
    const history = (JSON.parse(text) as { revisions: Revision[] }).revisions;
    revisions += history.length;
    for (const { experiment, who } of history) {
      if (who === actor) written.add(`${id} ${experiment.revision}`);
      if (who === "ramp") ledger.add(`ramp ${id}`);
      if (who === "guardrail") ledger.add(`breach ${id}`);
      if (who === "guardrail") killed.add(id);
    }
  }
  ledger.add("revisions", revisions);
  return {
    revisions,
    acknowledged: ours.size,
    lost: [...ours].filter((one) => !written.has(one)),
    unknown: [...written].filter((one) => !ours.has(one)),
    unharmed: changes.guarded.filter((id) => !killed.has(id)),
  };
}
