import type { Experiment } from "../domain/experiment.ts";
import type { ExperimentHealth, GuardrailHealth, RampHealth } from "../domain/experiment-health.ts";
import type { Guardrail } from "../domain/guardrail.ts";
import type { RampPlace } from "../experiments/experiments.ts";
import { worst } from "./worst.ts";

/** How an experiment is, as it is shown. */
export function healthView(
  { id, revision, phase, status, killed, breach, guardrails = [] }: Experiment,
  seen: {
    /** When it was last looked at, ms since 1970. */
    readonly checkedAt: number | undefined;
    /** What was found then, of the phase that it is in. */
    readonly judged: readonly GuardrailHealth[];
    readonly ramp: RampHealth | undefined;
  },
): ExperimentHealth {
  const { checkedAt, judged, ramp } = seen;
  const all = guardrails.map(
    (guardrail) => judged.find((one) => one.guardrail === guardrail.id) ?? notJudged(guardrail),
  );
  return {
    experiment: id,
    revision,
    phase,
    status,
    ...(killed !== undefined && { killed }),
    state: breach === undefined ? worst(all) : "breached",
    ...(checkedAt !== undefined && { checkedAt: new Date(checkedAt).toISOString() }),
    guardrails: all,
    ...(ramp !== undefined && { ramp }),
    ...(breach !== undefined && { breach }),
  };
}

function notJudged({ id, kind, action, alpha }: Guardrail): GuardrailHealth {
  return { guardrail: id, kind, action, state: "undecided", alpha, arms: [], problem: "not judged yet" };
}

/** @param guardedBy why it does not go on although the experiment runs. */
export function rampView(
  { status, traffic, killed }: Experiment,
  steps: number,
  { step, next, totalMs, passedMs }: RampPlace,
  guardedBy: string | undefined,
): RampHealth {
  const heldBy =
    killed !== undefined ? "it was killed" : status === "running" ? guardedBy : `it is ${status}`;
  return {
    step: step + 1,
    steps,
    traffic,
    ...(next !== undefined && { nextTraffic: next.traffic }),
    passedMs: Math.round(status === "draft" ? 0 : passedMs),
    ...(totalMs !== undefined && { totalMs }),
    ...(heldBy !== undefined && { heldBy }),
  };
}
