import { Counter, Gauge, type Registry } from "prom-client";
import type { GuardrailHealth } from "../domain/experiment-health.ts";

/** What is counted of guardrails and ramps. */
export interface GuardrailMetrics {
  breached(experiment: string, guardrail: string, action: string): void;
  stepped(experiment: string): void;
  failed(): void;
  /** Says, when the metrics are read, how each guardrail is. */
  watch(guardian: {
    healths(): readonly { readonly experiment: string; readonly guardrails: readonly GuardrailHealth[] }[];
  }): void;
}

export function guardrailMetrics(registry: Registry): GuardrailMetrics {
  const registers = [registry];
  const breaches = new Counter({
    name: "setlist_guardrail_breaches_total",
    help: "Breaches that were acted on, by experiment, guardrail and action: hold, rollback",
    labelNames: ["experiment", "guardrail", "action"],
    registers,
  });
  const steps = new Counter({
    name: "setlist_ramp_steps_total",
    help: "Steps that ramps took, by experiment",
    labelNames: ["experiment"],
    registers,
  });
  const failures = new Counter({
    name: "setlist_guardrail_failed_checks_total",
    help: "Checks of experiments that could not be made or acted on; the next one tries again",
    registers,
  });
  return {
    breached: (experiment, guardrail, action) => breaches.inc({ experiment, guardrail, action }),
    stepped: (experiment) => steps.inc({ experiment }),
    failed: () => failures.inc(),
    watch(guardian) {
      new Gauge({
        name: "setlist_guardrail_state",
        help: "1 for how each guardrail was found at the last check: healthy, undecided, breached",
        labelNames: ["experiment", "guardrail", "state"],
        aggregator: "max",
        registers,
        collect() {
          this.reset();
          for (const { experiment, guardrails } of guardian.healths()) {
            for (const { guardrail, state } of guardrails) this.set({ experiment, guardrail, state }, 1);
          }
        },
      });
    },
  };
}
