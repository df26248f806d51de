import type { AnalysisReport } from "../../analysis/analysis.ts";
import type { SetlistConfig } from "../../config.ts";
import type { Clock } from "../../domain/clock.ts";
import type { LatestFigures } from "../../guardrails/guardrails.ts";
import { Errand } from "../../processes/processes.ts";

/** What an analysing process is asked. */
export interface AnalysisOrder extends Pick<SetlistConfig, "dataDir" | "experimentStore"> {
  readonly experiment: string;
}

interface LogAnalysesOptions extends Pick<SetlistConfig, "dataDir" | "experimentStore"> {
  /** How old what is known of an experiment may be, ms. */
  readonly everyMs: number;
  readonly clock: Clock;
}

/**
 * What `setlist analyze` would say of experiments, for those who ask again and again: worked out in a process of its own,
 * which nobody who waits for an answer shares, and at a lower priority, one at a time.
 */
export class LogAnalyses {
  readonly #options: LogAnalysesOptions;
  readonly #latest = new Map<string, LatestFigures & { readonly at: number }>();
  /** Experiments whose figures are too old, whoever has waited longest first. */
  readonly #waiting = new Set<string>();
  readonly #errand = new Errand<AnalysisOrder, { readonly report: AnalysisReport }>(
    new URL("./analysing-process.ts", import.meta.url),
    "the analysis",
  );
  /** The experiment whose analysis is under way. */
  #analysed: string | undefined;
  #isClosed = false;

  constructor(options: LogAnalysesOptions) {
    this.#options = options;
  }

  /** The last that is known; has it worked out anew where that is too old. */
  figuresOf(experiment: string): LatestFigures {
    const { clock, everyMs } = this.#options;
    const known = this.#latest.get(experiment);
    const isOld = known === undefined || clock.monotonic() - known.at >= everyMs;
    if (isOld && experiment !== this.#analysed) this.#waiting.add(experiment);
    this.#next();
    return known ?? { figures: undefined, problem: undefined };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#errand.kill();
  }

  #next(): void {
    const [experiment] = this.#waiting;
    if (experiment === undefined || this.#analysed !== undefined || this.#isClosed) return;
    this.#waiting.delete(experiment);
    this.#analysed = experiment;
    void this.#analyse(experiment);
  }

  async #analyse(experiment: string): Promise<void> {
    const { dataDir, experimentStore, clock } = this.#options;
    const answer = await this.#errand.run({ dataDir, experimentStore, experiment });
    this.#analysed = undefined;
    const before = this.#latest.get(experiment)?.figures;
    const latest =
      "report" in answer
        ? { figures: answer.report, problem: undefined }
        : { figures: before, problem: answer.problem };
    this.#latest.set(experiment, { ...latest, at: clock.monotonic() });
    this.#next();
  }
}
