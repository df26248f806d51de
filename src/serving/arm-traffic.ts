import { type ArmCounts, latencyBucket, latencyBuckets } from "../domain/arm-counts.ts";
import type { Assignment } from "../domain/assignment.ts";
import type { Experiment } from "../domain/experiment.ts";
import { isRequestGuardrail } from "../domain/guardrail.ts";
import type { Impression } from "../domain/impression.ts";

type Mutable = { -readonly [Name in keyof ArmCounts]: ArmCounts[Name] };

/**
 * What this process answered for the arms of experiments that have guardrails over requests: an addition or two a
 * request, and nothing for all others. Units that are forced are not counted, as they are not analysed, nor are those
 * that keep an arm of an earlier phase.
 */
export class ArmTraffic {
  /** By arm; undefined for an experiment without such guardrails. Another revision is another object. */
  #experiments = new Map<Experiment, Map<string, Mutable> | undefined>();

  /** @param durationMs from its decision to its record. */
  answered(
    experiment: Experiment,
    assignment: Assignment,
    { model }: Pick<Impression, "model">,
    durationMs: number,
  ): void {
    const counts = this.#of(experiment, assignment);
    if (counts === undefined) return;
    counts.requests += 1;
    if (model === undefined) counts.fallbacks += 1;
    const bucket = latencyBucket(durationMs);
    counts.latencies[bucket] = (counts.latencies[bucket] as number) + 1;
  }

  /** An error in place of an answer, which the arm's model had a part in. */
  failed(experiment: Experiment, assignment: Assignment): void {
    const counts = this.#of(experiment, assignment);
    if (counts !== undefined) counts.errors += 1;
  }

  /** What came since the last call. */
  take(): readonly ArmCounts[] {
    const taken = [...this.#experiments.values()].flatMap((arms) => [...(arms?.values() ?? [])]);
    this.#experiments = new Map();
    return taken;
  }

  #of(experiment: Experiment, { phase, arm, overridden }: Assignment): Mutable | undefined {
    if (!this.#experiments.has(experiment)) {
      const isGuarded = experiment.guardrails?.some(isRequestGuardrail) === true;
      this.#experiments.set(experiment, isGuarded ? new Map() : undefined);
    }
    const arms = this.#experiments.get(experiment);
    if (arms === undefined || overridden || phase !== experiment.phase) return undefined;
    const known = arms.get(arm);
    if (known !== undefined) return known;
    const made = {
      experiment: experiment.id,
      phase,
      arm,
      requests: 0,
      errors: 0,
      fallbacks: 0,
      latencies: new Uint32Array(latencyBuckets + 1),
    };
    arms.set(arm, made);
    return made;
  }
}
