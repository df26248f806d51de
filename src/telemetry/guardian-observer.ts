import type { Logger } from "pino";
import type { Clock } from "../domain/clock.ts";
import type { GuardianObserver } from "../domain/observers.ts";
import type { GuardrailMetrics } from "./guardrail-metrics.ts";
import { nowAndThen } from "./now-and-then.ts";

/** Counts and logs what guardrails and ramps do. */
export function guardianObserver(logger: Logger, metrics: GuardrailMetrics, clock: Clock): GuardianObserver {
  const seldom = nowAndThen(clock);
  return {
    breached(experiment, { guardrail, action, evidence, thanks }) {
      metrics.breached(experiment, guardrail, action);
      const { arm, detail } = evidence;
      logger.warn(
        { experiment, guardrail, arm, detail, thanks },
        action === "rollback"
          ? "guardrail breached: the experiment is rolled back"
          : "guardrail breached: the experiment is held",
      );
    },
    recovered: (experiment, guardrail) =>
      logger.info({ experiment, guardrail }, "guardrail healthy again: the experiment is no longer held"),
    stepped(experiment, traffic) {
      metrics.stepped(experiment);
      logger.info({ experiment, traffic }, "ramp went on");
    },
    failed(what, error) {
      metrics.failed();
      seldom(what, (heldBack) => logger.error({ heldBack, err: error }, what));
    },
  };
}
