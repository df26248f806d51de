import type { GuardrailState } from "../domain/guardrail.ts";

/** The worst of several states; healthy where there is none. */
export function worst(all: readonly { readonly state: GuardrailState }[]): GuardrailState {
  if (all.some(({ state }) => state === "breached")) return "breached";
  return all.some(({ state }) => state === "undecided") ? "undecided" : "healthy";
}
