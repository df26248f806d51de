import type { Clock } from "../domain/clock.ts";
import { messageOf, SetlistError } from "../domain/error.ts";

/** One process of the fleet. */
export interface Member {
  /** Never another's. */
  readonly number: number;
  /** Resolves once it could serve at once. @throws why it cannot. */
  readonly loaded: Promise<void>;
  /** Has it serve. @throws why it cannot. */
  serve(): Promise<void>;
  /** Has it finish what it has and end. */
  drain(): Promise<void>;
  kill(): void;
  /** Resolves once the process is gone, with how it ended: `by SIGSEGV`, `with exit code 1`. */
  readonly ended: Promise<string>;
}

export interface FleetOptions {
  /** Members that serve; one more stands by, loaded, to take the place of one that ends. */
  readonly serving: number;
  /** @throws {Error} where none can be made: it counts as one that ended at once. */
  readonly start: (number: number) => Member;
  readonly clock: Clock;
  /** A member ended; `why` is what its start threw, empty where it had started or could say nothing. */
  readonly onEnd: (member: { readonly number: number; readonly how: string; readonly why: string }) => void;
  /** A member took the place of one that ended so long ago. */
  readonly onReplace: (member: { readonly number: number; readonly afterMs: number }) => void;
  /** How long a start may take; what is not loaded then is killed, and has failed. */
  readonly startMsMax: number;
  /** How long a drain may take; what is not done then is killed. */
  readonly drainMsMax: number;
  /** How long to wait before the next round of starts after so many failed ones; doubling to 10 s where undefined. */
  readonly startWaitMs?: ((failures: number) => number) | undefined;
}

/** One that is joining was told to serve, and does not yet. */
type State = "starting" | "standby" | "joining" | "serving";

/** Rounds of failed starts in a row with which a fleet that serves nothing is given up: some 13 seconds of waiting. */
const failuresMax = 7;
const doublingWaitMs = (failures: number): number => Math.min(10_000, 100 * 2 ** failures);

/**
 * Keeps so many members serving. One more is loaded and stands by, since a start takes longer than anyone should wait
 * for a replacement, and longest where the members that are left have more to do. While some serve, a start that fails
 * is tried again for ever: what it lacks may come back.
 */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #states = new Map<Member, State>();
  /** Why those cannot serve that are being ended for it. */
  readonly #refusals = new Map<Member, string>();
  readonly #lost = Promise.withResolvers<never>();
  /** When members that served ended whose place nobody has taken yet. */
  readonly #vacancies: number[] = [];
  #numbersGiven = 0;
  #endedCount = 0;
  /** Rounds of starts in a row in which one failed; how many are started at once is no matter. */
  #failures = 0;
  #round = 0;
  #failedRound = 0;
  #following = false;
  #closing = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#lost.promise.catch(() => undefined);
  }

  /** Rejects once none serves and none can be started. */
  get lost(): Promise<never> {
    return this.#lost.promise;
  }

  get counts(): { serving: number; standby: number; starting: number; ended: number } {
    const count = (state: State): number => this.#in(state).length;
    return {
      serving: count("serving"),
      standby: count("standby") + count("joining"),
      starting: count("starting"),
      ended: this.#endedCount,
    };
  }

  /** Starts the members that are to serve; resolves once all are loaded. @throws what the first that fails says. */
  async load(): Promise<void> {
    const first = Array.from({ length: this.#options.serving }, () => this.#start());
    await this.#orNone(first);
  }

  /** Has the loaded members serve, and replaces from here on those that end. @throws as the first that fails. */
  async serve(): Promise<void> {
    const first = this.#in("standby");
    await this.#orNone(first.map((member) => member.serve()));
    for (const member of first) if (this.#states.has(member)) this.#states.set(member, "serving");
    this.#following = true;
    this.#fill();
  }

  async #orNone(steps: readonly Promise<void>[]): Promise<void> {
    try {
      await Promise.all(steps);
    } catch (error) {
      this.#closing = true;
      for (const member of this.#states.keys()) member.kill();
      await Promise.all([...this.#states.keys()].map(({ ended }) => ended));
      throw error;
    }
  }

  /** Drains whoever serves, ends the others. @throws {SetlistError} INTERNAL where one did not end in order. */
  async close(): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#timer);
    const leaving = [...this.#states.keys()];
    const late = setTimeout(() => {
      for (const member of leaving) member.kill();
    }, this.#options.drainMsMax);
    const drained = await Promise.allSettled(
      leaving.map(async (member) => {
        const state = this.#states.get(member);
        if (state === "serving" || state === "joining") await member.drain();
        else member.kill();
      }),
    );
    await Promise.all(leaving.map(({ ended }) => ended));
    clearTimeout(late);
    const cut = leaving.filter((_, index) => drained[index]?.status === "rejected");
    if (cut.length === 0) return;
    throw new SetlistError(
      "INTERNAL",
      `process ${cut.map(({ number }) => number).join(", ")} ended before all that it had accepted was answered`,
    );
  }

  #in(state: State): Member[] {
    return [...this.#states].filter(([, its]) => its === state).map(([member]) => member);
  }

  #fill(): void {
    this.#timer = undefined;
    this.#round += 1;
    while (this.#states.size <= this.#options.serving) this.#start();
  }

  /** @throws why the member cannot serve. */
  #start(): Promise<void> {
    const member = this.#newMember(++this.#numbersGiven);
    this.#states.set(member, "starting");
    const loaded = this.#inTime(member.loaded);
    loaded.then(
      () => {
        if (!this.#states.has(member)) return;
        this.#states.set(member, "standby");
        this.#takePlaces();
        // While others are joining, nobody knows yet whether one that is loaded can serve.
        if (this.#states.get(member) === "standby" && this.#in("joining").length === 0) this.#failures = 0;
        if (this.#following && !this.#closing) this.#fillSoon(this.#failures === 0);
      },
      (error: unknown) => this.#refuse(member, error),
    );
    void member.ended.then((how) => this.#left(member, how));
    return loaded;
  }

  async #inTime(loaded: Promise<void>): Promise<void> {
    const { startMsMax } = this.#options;
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(new SetlistError("UNAVAILABLE", `it was not loaded within ${startMsMax / 1000} s`)),
      startMsMax,
    ).unref();
    await Promise.race([loaded, late.promise]).finally(() => clearTimeout(timer));
  }

  #refuse(member: Member, error: unknown): void {
    if (this.#states.has(member)) this.#refusals.set(member, messageOf(error));
    member.kill();
  }

  #newMember(number: number): Member {
    try {
      return this.#options.start(number);
    } catch (error) {
      const refused = Promise.reject(error);
      const refuse = (): Promise<void> => refused;
      const ended = Promise.resolve(`before it began: ${messageOf(error)}`);
      return { number, loaded: refused, serve: refuse, drain: refuse, kill: () => undefined, ended };
    }
  }

  #takePlaces(): void {
    if (!this.#following || this.#closing) return;
    const places = this.#options.serving - this.#in("serving").length - this.#in("joining").length;
    for (const member of this.#in("standby").slice(0, places)) {
      this.#states.set(member, "joining");
      void this.#replace(member);
    }
  }

  async #replace(member: Member): Promise<void> {
    try {
      await member.serve();
    } catch (error) {
      this.#refuse(member, error);
      return;
    }
    if (!this.#states.has(member)) return;
    this.#states.set(member, "serving");
    this.#failures = 0;
    if (!this.#closing) this.#fillSoon(true);
    const now = this.#options.clock.monotonic();
    this.#options.onReplace({ number: member.number, afterMs: now - (this.#vacancies.shift() ?? now) });
  }

  #left(member: Member, how: string): void {
    // One that was to join and could not is no better than one that cannot start.
    const couldNotStart = ["starting", "joining"].includes(this.#states.get(member) ?? "");
    const served = this.#states.get(member) === "serving";
    const why = this.#refusals.get(member) ?? "";
    this.#states.delete(member);
    this.#refusals.delete(member);
    if (this.#closing) return;
    this.#endedCount += 1;
    this.#options.onEnd({ number: member.number, how, why });
    if (!this.#following) return;
    if (couldNotStart) this.#noteFailure();
    if (served) this.#vacancies.push(this.#options.clock.monotonic());
    this.#takePlaces();
    if (couldNotStart && this.#failures >= failuresMax && this.#in("serving").length === 0) {
      // Another may be starting still; no more are tried.
      if (this.#states.size > 0) return;
      const said = `no process is left, and new ones failed ${this.#failures} times in a row: ${why || `ended ${how}`}`;
      this.#lost.reject(new SetlistError("UNAVAILABLE", said));
      return;
    }
    this.#fillSoon(served || this.#failures === 0);
  }

  #noteFailure(): void {
    if (this.#failedRound === this.#round) return;
    this.#failedRound = this.#round;
    this.#failures += 1;
  }

  #fillSoon(atOnce: boolean): void {
    const { startWaitMs = doublingWaitMs } = this.#options;
    if (atOnce) clearTimeout(this.#timer);
    else if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#fill(), atOnce ? 0 : startWaitMs(this.#failures));
  }
}
