import type { Attributes } from "../domain/feature.ts";

/** What a request says about itself, for targeting. */
export interface TargetingAttributes {
  readonly user: Attributes;
  readonly context: Attributes;
}

/** The same with the ids that experiments on sessions or requests go by; each may be missing. */
export interface RequestFacts extends TargetingAttributes {
  readonly session?: string | undefined;
  readonly request?: string | undefined;
}
