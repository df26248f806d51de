import { UnitKey } from "./bucket.ts";
import type { Ruling } from "./entry.ts";
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
  #rulings: Map<number, Ruling> | undefined;

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
  once(index: number, decide: () => Ruling): Ruling {
    this.#rulings ??= new Map();
    const known = this.#rulings.get(index);
    if (known !== undefined) return known;
    const ruling = decide();
    this.#rulings.set(index, ruling);
    return ruling;
  }

  #read(kind: UnitKind): UnitKey | "none" {
    const id = kind.read(this.#userId, this.facts);
    const unit = id === undefined ? "none" : new UnitKey(id);
    this.#units[kind.index] = unit;
    return unit;
  }
}
