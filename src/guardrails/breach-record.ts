/** From what a guardrail says to what is kept of it with the experiment, and when that is over. */
import type { Experiment } from "../domain/experiment.ts";
import type { GuardrailHealth } from "../domain/experiment-health.ts";
import { type Breach, type Guardrail, isRequestGuardrail } from "../domain/guardrail.ts";
import type { Revision } from "../domain/store-state.ts";
import { durationMs, guardrailWriter, rampWriter } from "../experiments/experiments.ts";

/** Of the arm that is worst off. */
export function breachOf(
  { guardrail, kind, action, alpha, since, arms }: GuardrailHealth,
  guardrails: readonly Guardrail[],
  history: readonly Revision<Experiment>[],
  now: number,
): Breach {
  const evidence = arms.find(({ state }) => state === "breached");
  if (evidence === undefined) throw new Error(`guardrail ${guardrail} is breached by no arm`);
  const owner = guardrails.find(({ id }) => id === guardrail)?.owner;
  const at = new Date(now).toISOString();
  return {
    guardrail,
    kind,
    action,
    alpha,
    at,
    since: since ?? at,
    evidence,
    thanks: owner ?? authorOf(history),
  };
}

/** Whoever wrote it last, of people. */
function authorOf(history: readonly Revision<Experiment>[]): string {
  return history.findLast(({ who }) => who !== rampWriter && who !== guardrailWriter)?.who ?? "nobody known";
}

/**
 * A hold ends once its guardrail is healthy, and not before a whole window has passed: where another server of a fleet
 * saw the breach, this one must not take it back at once.
 */
export function isOver(
  { guardrail, at }: Breach,
  seen: readonly GuardrailHealth[],
  guardrails: readonly Guardrail[],
  now: number,
): boolean {
  const its = guardrails.find(({ id }) => id === guardrail);
  const restMs = its !== undefined && isRequestGuardrail(its) ? durationMs(its.window) : 0;
  return (
    seen.find((one) => one.guardrail === guardrail)?.state === "healthy" && now - Date.parse(at) >= restMs
  );
}
