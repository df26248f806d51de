import type { ModelRef, ValueModelOverride } from "./model.ts";
import type { ShadowSpec } from "./shadow.ts";

/** Where items are ranked: the model that serves it without an experiment, and how long an answer may take. */
export interface Surface {
  readonly defaultModel: ModelRef;
  /** From the arrival of a request that names no timeout of its own, ms. */
  readonly timeoutMs: number;
  /** Goes before the models' own value models; an arm's goes before it. */
  readonly valueModel?: ValueModelOverride | undefined;
  /** Scores a share of the requests once they are answered, for comparison. */
  readonly shadow?: ShadowSpec | undefined;
}

/** By name. */
export type Surfaces = ReadonlyMap<string, Surface>;
