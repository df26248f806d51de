import { canonicalJson } from "../domain/canonical-json.ts";
import { messageOf } from "../domain/error.ts";
import type { Staleness, StoreState } from "../domain/store-state.ts";

type Listener = (state: StoreState) => void;

/** The state that a store has last read, and who is told when it becomes another. */
export class FollowedState {
  #state: StoreState;
  #text: string;
  #stale: Staleness | undefined;
  readonly #listeners = new Set<Listener>();

  constructor(state: StoreState) {
    this.#state = state;
    this.#text = canonicalJson(state);
  }

  get state(): StoreState {
    return this.#state;
  }

  get stale(): Staleness | undefined {
    return this.#stale;
  }

  /** What was read just now; listeners hear of it where it differs. */
  take(state: StoreState): void {
    this.#stale = undefined;
    const text = canonicalJson(state);
    if (text === this.#text) return;
    this.#state = state;
    this.#text = text;
    for (const listener of [...this.#listeners]) listener(state);
  }

  /** The store could not be read. The first time that it could not counts. */
  miss(at: number, error: unknown): void {
    const reason = messageOf(error);
    this.#stale = { since: this.#stale?.since ?? at, reason };
  }

  onChange(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
