import type { SetlistConfig } from "../config.ts";
import type { ArmCounts } from "../domain/arm-counts.ts";
import type { Clock } from "../domain/clock.ts";
import type { ExperimentStore } from "../domain/experiment-store.ts";
import type { GuardianObserver } from "../domain/observers.ts";
import { Guardian } from "../guardrails/guardrails.ts";
import type { GuardrailMetrics } from "../telemetry/telemetry.ts";
import { LogAnalyses } from "./beside/log-analyses.ts";

/** The guardian of a server's experiments, checking from here on; closed with `opened`. */
export function guardianOver(
  {
    dataDir,
    experimentStore,
    guardrails: { checkMs, logCheckMs },
  }: Pick<SetlistConfig, "dataDir" | "experimentStore" | "guardrails">,
  world: {
    readonly store: ExperimentStore;
    readonly clock: Clock;
    readonly collect: () => Promise<readonly ArmCounts[]>;
    readonly observer: GuardianObserver;
    readonly metrics: GuardrailMetrics;
  },
  opened: AsyncDisposableStack,
): Guardian {
  const { store, clock, collect, observer, metrics } = world;
  const analyses = opened.adopt(
    new LogAnalyses({ dataDir, experimentStore, everyMs: logCheckMs, clock }),
    (it) => it.close(),
  );
  const guardian = opened.adopt(
    new Guardian({
      store,
      clock,
      checkMs,
      collect,
      figuresOf: (experiment) => analyses.figuresOf(experiment),
      observer,
    }),
    (it) => it.close(),
  );
  metrics.watch(guardian);
  guardian.begin();
  return guardian;
}
