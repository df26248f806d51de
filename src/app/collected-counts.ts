import type { ArmCounts } from "../domain/arm-counts.ts";

type Ask = () => Promise<readonly ArmCounts[]>;

/** What a process does not say within this is counted the next time. */
const answerMsMax = 1_000;

/** Asks every process that serves what it answered for arms. What one that ends had not said yet is lost. */
export class CollectedCounts {
  readonly #asks = new Map<number, Ask>();
  /** Those that owe an answer are not asked again. */
  readonly #owed = new Map<number, Promise<void>>();
  #said: ArmCounts[] = [];

  join(process: number, ask: Ask): void {
    this.#asks.set(process, ask);
  }

  leave(process: number): void {
    this.#asks.delete(process);
  }

  async take(): Promise<readonly ArmCounts[]> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, answerMsMax);
    const all = [...this.#asks].map(([process, ask]) => this.#ask(process, ask));
    await Promise.race([late.promise, Promise.all(all)]);
    clearTimeout(timer);
    const said = this.#said;
    this.#said = [];
    return said;
  }

  #ask(process: number, ask: Ask): Promise<void> {
    const owed =
      this.#owed.get(process) ??
      ask()
        .then((counts) => void this.#said.push(...counts))
        .catch(() => undefined)
        .finally(() => this.#owed.delete(process));
    this.#owed.set(process, owed);
    return owed;
  }
}
