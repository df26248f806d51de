import type { RerankStep, ScoreExplanation } from "../domain/explanation.ts";
import { factorOf, type Labels, spread } from "./diversity.ts";
import { fusedScores, partOf } from "./fusion.ts";
import { bestFirst } from "./selection.ts";
import type { PlannedStep, ValuePlan } from "./value-plan.ts";

interface Scored {
  /** `[candidates, tasks] float32`, row-major. */
  readonly probabilities: Float32Array;
  readonly candidates: { readonly length: number };
  readonly labels?: readonly Labels[] | undefined;
  readonly limit: number | undefined;
}

/** What every step left behind, of all candidates. */
interface StepTrace {
  readonly step: PlannedStep;
  readonly labels: Labels;
  /** `[candidates]`. */
  readonly repeats: Uint32Array;
  /** `[candidates]`, before and after the step. */
  readonly before: Float64Array;
  readonly after: Float64Array;
}

/** One explanation for each item that goes out, in their order. */
export function explained(plan: ValuePlan, input: Scored): ScoreExplanation[] {
  const { probabilities, candidates, limit } = input;
  const count = candidates.length;
  const fused = fusedScores(plan, probabilities, count);
  const traces: StepTrace[] = [];
  let scores = fused;
  for (const [index, step] of plan.diversity.entries()) {
    const labels = input.labels?.[index] ?? [];
    const repeats = new Uint32Array(count);
    const after = scores.slice();
    spread(after, labels, step, repeats);
    traces.push({ step, labels, repeats, before: scores, after });
    scores = after;
  }
  return Array.from(bestFirst(scores, Math.min(limit ?? count, count)), (place) => ({
    parts: partsAt(plan, probabilities, place),
    fused: fused[place] as number,
    steps: traces.map((trace) => stepAt(trace, place)),
  }));
}

function partsAt(plan: ValuePlan, probabilities: Float32Array, place: number): ScoreExplanation["parts"] {
  return Object.fromEntries(
    plan.weighed.map((task) => [
      task.task,
      partOf(plan, task, probabilities[place * plan.width + task.column] as number),
    ]),
  );
}

function stepAt({ step, labels, repeats, before, after }: StepTrace, place: number): RerankStep {
  const repeated = repeats[place] as number;
  return {
    step: "diversity",
    by: step.by,
    key: labels[place],
    repeats: repeated,
    factor: repeated === 0 ? 1 : factorOf(step, repeated, before[place] as number),
    score: after[place] as number,
  };
}
