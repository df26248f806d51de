/** Whether to send this server traffic: not while models load and warm, nor from the first moment of a drain. */
export type ReadinessState = "starting" | "ready" | "draining";

export interface Readiness {
  state(): ReadinessState;
  /** Calls `listener` with every later state. */
  onChange(listener: (state: ReadinessState) => void): void;
}
