import type { Readiness, ReadinessState } from "../domain/readiness.ts";

export interface ReadinessSwitch extends Readiness {
  /** Moves on to `state`; a server that drains stays so. */
  set(state: ReadinessState): void;
}

/** The one place that knows whether the server is ready; both transports show it, `app.ts` sets it. */
export function createReadiness(): ReadinessSwitch {
  let current: ReadinessState = "starting";
  const listeners: ((state: ReadinessState) => void)[] = [];
  return {
    state: () => current,
    onChange: (listener) => listeners.push(listener),
    set(state) {
      if (current === state || current === "draining") return;
      current = state;
      for (const listener of listeners) listener(state);
    },
  };
}
