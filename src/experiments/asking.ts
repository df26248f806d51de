import { UnitKey } from "./bucket.ts";
import type { Outcome } from "./entry.ts";
import { type CompiledHoldout, holdsOut } from "./holdout.ts";
import type { RequestFacts } from "./request-facts.ts";
import { type TargetingInput, targetingInput } from "./targeting-input.ts";
import type { UnitKind } from "./unit.ts";

/** One request's question: who asks, and what several experiments want to know of it, worked out once. */
export class Asking {
  readonly facts: RequestFacts;
  readonly #userId: string;
  readonly #units: (UnitKey | "none" | undefined)[] = [];
  #held: (boolean | undefined)[] | undefined;
  #input: TargetingInput | undefined;
  #outcomes: Map<number, Outcome> | undefined;

  constructor(userId: string, facts: RequestFacts) {
    this.#userId = userId;
    this.facts = facts;
  }

  /** Undefined where the request has no unit of that kind. */
  unit(kind: UnitKind): UnitKey | undefined {
    const known = this.#units[kind.index] ?? this.#read(kind);
    return known === "none" ? undefined : known;
  }

  /** Undefined where the request has no unit of the holdout's kind. */
  isHeldOut(holdout: CompiledHoldout): boolean | undefined {
    this.#held ??= [];
    const known = this.#held[holdout.index];
    if (known !== undefined) return known;
    const unit = this.unit(holdout.kind);
    if (unit === undefined) return undefined;
    const held = holdsOut(holdout, unit);
    this.#held[holdout.index] = held;
    return held;
  }

  input(): TargetingInput {
    this.#input ??= targetingInput(this.facts);
    return this.#input;
  }

  /** What came out for an experiment that others ask for, by its index. */
  once(index: number, decide: () => Outcome): Outcome {
    this.#outcomes ??= new Map();
    const known = this.#outcomes.get(index);
    if (known !== undefined) return known;
    const outcome = decide();
    this.#outcomes.set(index, outcome);
    return outcome;
  }

  #read(kind: UnitKind): UnitKey | "none" {
    const id = kind.read(this.#userId, this.facts);
    const unit = id === undefined ? "none" : new UnitKey(id);
    this.#units[kind.index] = unit;
    return unit;
  }
}
