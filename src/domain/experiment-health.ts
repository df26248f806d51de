import type { ExperimentStatus } from "./experiment.ts";
import type { ArmEvidence, Breach, Guardrail, GuardrailAction, GuardrailState } from "./guardrail.ts";

/** What one guardrail saw at the last check. */
export interface GuardrailHealth {
  readonly guardrail: string;
  readonly kind: Guardrail["kind"];
  readonly action: GuardrailAction;
  readonly state: GuardrailState;
  /** The chance of a false alarm that this window's test has of the guardrail's. */
  readonly alpha: number;
  /** Since when it counts, ISO 8601 UTC; undefined where it was not judged yet. */
  readonly since?: string | undefined;
  readonly arms: readonly ArmEvidence[];
  /** Why it could not be judged. */
  readonly problem?: string | undefined;
}

/** Where a ramp stands. */
export interface RampHealth {
  /** From 1. */
  readonly step: number;
  readonly steps: number;
  readonly traffic: number;
  /** Undefined at the last step. */
  readonly nextTraffic?: number | undefined;
  /** How much of the step's time has passed, and how much that is, ms. */
  readonly passedMs: number;
  readonly totalMs?: number | undefined;
  /** Why it does not go on although its time is over, or while it does not run. */
  readonly heldBy?: string | undefined;
}

/** An experiment's guardrails and ramp, as the server that answers sees them. */
export interface ExperimentHealth {
  readonly experiment: string;
  readonly revision: number;
  readonly phase: number;
  readonly status: ExperimentStatus;
  readonly killed?: string | undefined;
  /** The worst of the guardrails; `healthy` where there is none. */
  readonly state: GuardrailState;
  /** Of the last check, ISO 8601 UTC; undefined before the first. */
  readonly checkedAt?: string | undefined;
  readonly guardrails: readonly GuardrailHealth[];
  readonly ramp?: RampHealth | undefined;
  readonly breach?: Breach | undefined;
}

/** Who knows how experiments are. */
export interface ExperimentHealthSource {
  /** @throws {SetlistError} NOT_FOUND with the nearest id that there is. */
  healthOf(id: string): Promise<ExperimentHealth>;
}
