/** What a process does not say within this is heard the next time. */
const answerMsMax = 1_000;

/** One question that every process that serves is asked again and again, under the number that it joined with. */
export class AskedProcesses<Answer> {
  readonly #hear: (process: number, answer: Answer) => void;
  readonly #asks = new Map<number, () => Promise<Answer>>();
  /** Those that owe an answer are not asked again: one that hangs would be owed ever more. */
  readonly #owed = new Map<number, Promise<void>>();

  /** @param hear whatever a process says before it leaves, however late. */
  constructor(hear: (process: number, answer: Answer) => void) {
    this.#hear = hear;
  }

  join(process: number, ask: () => Promise<Answer>): void {
    this.#asks.set(process, ask);
  }

  leave(process: number): void {
    this.#asks.delete(process);
  }

  /** Resolves once all have answered, or that takes too long. */
  async ask(): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, answerMsMax);
    const all = [...this.#asks].map(([process, ask]) => this.#askOne(process, ask));
    await Promise.race([late.promise, Promise.all(all)]);
    clearTimeout(timer);
  }

  #askOne(process: number, ask: () => Promise<Answer>): Promise<void> {
    const owed =
      this.#owed.get(process) ??
      ask()
        .then((answer) => {
          if (this.#asks.has(process)) this.#hear(process, answer);
        })
        // It has ended: what it had not said by then is lost.
        .catch(() => undefined)
        .finally(() => this.#owed.delete(process));
    this.#owed.set(process, owed);
    return owed;
  }
}
