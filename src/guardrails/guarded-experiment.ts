import type { ArmCounts } from "../domain/arm-counts.ts";
import { canonicalJson } from "../domain/canonical-json.ts";
import type { Experiment } from "../domain/experiment.ts";
import type { GuardrailHealth } from "../domain/experiment-health.ts";
import { isRequestGuardrail, type LogGuardrail } from "../domain/guardrail.ts";
import { judgeLog, type PhaseFigures } from "./log-verdict.ts";
import { RequestWindow } from "./request-window.ts";

/** What the analysis of the log said last of an experiment. */
export interface LatestFigures {
  readonly figures: PhaseFigures | undefined;
  /** Why there is none newer. */
  readonly problem: string | undefined;
}

/** All that is counted of one phase of an experiment, and what its guardrails said last. */
export class GuardedExperiment {
  readonly #began: number;
  /** Of the guardrails that stood at the last check. */
  #windows: ReadonlyMap<string, RequestWindow> = new Map();
  #last: readonly GuardrailHealth[] = [];

  /** @param began the phase, ms since 1970. */
  constructor(began: number) {
    this.#began = began;
  }

  /** What was found the last time. */
  get last(): readonly GuardrailHealth[] {
    return this.#last;
  }

  /** Counts what came between `from` and `now` and judges all guardrails. A guardrail that changed begins anew. */
  judge(
    experiment: Experiment,
    counts: readonly ArmCounts[],
    latest: LatestFigures,
    { from, now }: { readonly from: number; readonly now: number },
  ): readonly GuardrailHealth[] {
    const { arms, guardrails = [] } = experiment;
    const windows = new Map<string, RequestWindow>();
    this.#last = guardrails.map((guardrail) => {
      if (!isRequestGuardrail(guardrail)) return this.#judgeLog(guardrail, experiment, latest);
      const key = canonicalJson(guardrail);
      const window = this.#windows.get(key) ?? new RequestWindow(guardrail, this.#began);
      windows.set(key, window);
      window.add(counts, from, now);
      return window.judge(arms, now);
    });
    this.#windows = windows;
    return this.#last;
  }

  #judgeLog(
    guardrail: LogGuardrail,
    experiment: Experiment,
    { figures, problem }: LatestFigures,
  ): GuardrailHealth {
    const { id, kind, action, alpha } = guardrail;
    if (figures !== undefined && figures.phase === experiment.phase) {
      const since = new Date(this.#began).toISOString();
      return {
        ...judgeLog(guardrail, experiment, figures, since),
        ...(problem !== undefined && { problem }),
      };
    }
    const why = problem ?? "the log was not analysed yet";
    return { guardrail: id, kind, action, state: "undecided", alpha, arms: [], problem: why };
  }
}
