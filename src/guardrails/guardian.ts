import type { ArmCounts } from "../domain/arm-counts.ts";
import type { Clock } from "../domain/clock.ts";
import { SetlistError } from "../domain/error.ts";
import type { Experiment } from "../domain/experiment.ts";
import type {
  ExperimentHealth,
  ExperimentHealthSource,
  GuardrailHealth,
  RampHealth,
} from "../domain/experiment-health.ts";
import type { ExperimentStore } from "../domain/experiment-store.ts";
import { isRequestGuardrail } from "../domain/guardrail.ts";
import type { GuardianObserver } from "../domain/observers.ts";
import type { Revision, StoreState } from "../domain/store-state.ts";
import {
  breached,
  guardrailWriter,
  rampPlace,
  rampWriter,
  recovered,
  stepped,
} from "../experiments/experiments.ts";
import { nearest } from "../schema/schema.ts";
import { breachOf, isOver } from "./breach-record.ts";
import { GuardedExperiment, type LatestFigures } from "./guarded-experiment.ts";
import { healthView, rampView } from "./health-view.ts";

export interface GuardianOptions {
  readonly store: Pick<ExperimentStore, "refresh" | "write" | "history">;
  readonly clock: Clock;
  /** Between two checks, ms. */
  readonly checkMs: number;
  /** What was answered since the last call, by every process of this server; never throws. */
  readonly collect: () => Promise<readonly ArmCounts[]>;
  /** What the log says of an experiment; asking for it is what has it analysed again. */
  readonly figuresOf: (experiment: string) => LatestFigures;
  readonly observer: GuardianObserver;
}

/** How soon to try again what could not be looked at or written, ms: a rollback must not wait for the next check. */
const againMs = 1_000;

/** What is known of an experiment between two checks. */
interface Guarded {
  readonly phase: number;
  /** The revision that last took a kill back; 0 where none did. */
  readonly revived: number;
  readonly book: GuardedExperiment;
  readonly history: readonly Revision<Experiment>[];
  readonly heldBy: string | undefined;
}

/**
 * Looks after the running experiments of one server: judges their guardrails, holds or rolls back on a breach, and takes
 * the steps of their ramps. Whatever it does is a revision, by a rule that looks at what stands: where several servers
 * share a store, whoever comes second finds it done. What it counts is in memory; where a ramp stands follows from the
 * history, so that a restart in the middle goes on from there.
 */
export class Guardian implements ExperimentHealthSource {
  readonly #options: GuardianOptions;
  #guarded = new Map<string, Guarded>();
  #checkedAt: number | undefined;
  /** From when on what is collected next was counted. */
  #countedFrom: number;
  #timer: NodeJS.Timeout | undefined;
  #checking: Promise<void> | undefined;
  #isClosed = false;
  /** Whether the last check left something undone. */
  #isOwing = false;

  constructor(options: GuardianOptions) {
    this.#options = options;
    this.#countedFrom = options.clock.now();
  }

  /** Checks from here on. */
  begin(): void {
    if (this.#isClosed) return;
    const { checkMs, observer } = this.#options;
    const waitMs = this.#isOwing ? Math.min(checkMs, againMs) : checkMs;
    this.#timer = setTimeout(() => {
      this.#checking = this.check()
        .catch((error: unknown) => {
          this.#isOwing = true;
          observer.failed("experiments were not checked", error);
        })
        .then(() => this.begin());
    }, waitMs).unref();
  }

  /** Resolves once a check that is under way is over. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#checking;
  }

  /** Every guardrail of every experiment that is looked after, as the last check found it. */
  healths(): readonly { readonly experiment: string; readonly guardrails: readonly GuardrailHealth[] }[] {
    return [...this.#guarded].map(([experiment, { book }]) => ({ experiment, guardrails: book.last }));
  }

  async healthOf(id: string): Promise<ExperimentHealth> {
    const { experiments } = await this.#options.store.refresh();
    const experiment = experiments.find((one) => one.id === id);
    if (experiment === undefined) {
      const known = experiments.map((one) => one.id);
      const hint = id.length <= 256 ? nearest(id, known) : "";
      throw new SetlistError("NOT_FOUND", `id: no experiment ${JSON.stringify(id)}${hint}`);
    }
    const guarded = this.#guarded.get(id);
    const isOfPhase = guarded?.phase === experiment.phase;
    return healthView(experiment, {
      checkedAt: this.#checkedAt,
      judged: isOfPhase ? guarded.book.last : [],
      ramp: await this.#rampOf(experiment, guarded),
    });
  }

  /** One look at everything. @throws where the store cannot be read. */
  async check(): Promise<void> {
    const { store, clock, collect, observer } = this.#options;
    const from = this.#countedFrom;
    this.#countedFrom = clock.now();
    const counts = Map.groupBy(await collect(), ({ experiment }) => experiment);
    const state = await store.refresh();
    const guarded = new Map<string, Guarded>();
    this.#checkedAt = clock.now();
    this.#isOwing = false;
    for (const experiment of state.experiments) {
      const { id, ramp, guardrails, status } = experiment;
      if ((ramp === undefined && guardrails === undefined) || status === "draft") continue;
      try {
        const one = await this.#guardedOf(experiment);
        guarded.set(id, one);
        if (status !== "running" || experiment.killed !== undefined || state.killSwitch.on) continue;
        const its = (counts.get(id) ?? []).filter(({ phase }) => phase === experiment.phase);
        guarded.set(id, { ...one, heldBy: await this.#checkOne(experiment, one, its, from) });
      } catch (error) {
        this.#isOwing = true;
        // What was counted is not lost with the check.
        const before = guarded.get(id) ?? this.#guarded.get(id);
        if (before !== undefined) guarded.set(id, before);
        observer.failed(`experiment ${id} was not checked`, error);
      }
    }
    this.#guarded = guarded;
  }

  /** What was counted stays, but of another phase, and of what was rolled back and is tried again. */
  async #guardedOf(experiment: Experiment): Promise<Guarded> {
    const { id, revision, phase } = experiment;
    const before = this.#guarded.get(id);
    const history =
      before?.history.at(-1)?.document.revision === revision
        ? before.history
        : await this.#options.store.history(id);
    const revived = revivedAt(history);
    const isSame = before?.phase === phase && before.revived === revived;
    const book = isSame ? before.book : new GuardedExperiment(beganAt(history, phase));
    return { phase, revived, book, history, heldBy: undefined };
  }

  /** Answers why its ramp does not go on, where it might. */
  async #checkOne(
    experiment: Experiment,
    { book, history }: Guarded,
    counts: readonly ArmCounts[],
    from: number,
  ): Promise<string | undefined> {
    const { clock, observer } = this.#options;
    const { id, phase, revision, guardrails = [] } = experiment;
    const now = clock.now();
    const readsLog = guardrails.some((one) => !isRequestGuardrail(one));
    const latest = readsLog ? this.#options.figuresOf(id) : { figures: undefined, problem: undefined };
    const seen = book.judge(experiment, counts, latest, { from, now });

    const alarms = seen.filter(({ state }) => state === "breached");
    const worstAlarm = alarms.find(({ action }) => action === "rollback") ?? alarms[0];
    if (worstAlarm !== undefined) {
      const breach = breachOf(worstAlarm, guardrails, history, now);
      const isNew = breach.action === "rollback" || experiment.breach === undefined;
      if (isNew && (await this.#write(guardrailWriter, (state) => breached(state, { id, phase, breach })))) {
        observer.breached(id, breach);
      }
      return `guardrail ${breach.guardrail} is breached`;
    }

    const { breach } = experiment;
    if (breach !== undefined) {
      if (!isOver(breach, seen, guardrails, now)) return `guardrail ${breach.guardrail} was breached`;
      if (await this.#write(guardrailWriter, (state) => recovered(state, { id, revision }))) {
        observer.recovered(id, breach.guardrail);
      }
      return undefined;
    }

    const place = rampPlace(history, now);
    if (place?.next === undefined || place.totalMs === undefined || place.passedMs < place.totalMs) {
      return undefined;
    }
    const unsure = seen.find(({ state }) => state !== "healthy");
    if (unsure !== undefined) return `guardrail ${unsure.guardrail} is ${unsure.state}`;
    const healthy =
      seen.length === 0 ? "" : ` with healthy guardrails: ${seen.map((one) => one.guardrail).join(", ")}`;
    const step = experiment.ramp?.[place.step];
    const reason = `step ${place.step + 2} of ${experiment.ramp?.length}, after ${step?.for}${healthy}`;
    try {
      const done = await this.#write(rampWriter, (state) => stepped(state, { id, revision, reason }));
      if (done) observer.stepped(id, place.next.traffic);
      return undefined;
    } catch (error) {
      // Another experiment holds by now what it would take.
      if (!(error instanceof SetlistError) || error.code !== "INVALID_ARGUMENT") throw error;
      return error.message;
    }
  }

  /** True where something was written, and not by somebody else before. */
  async #write(who: string, change: Parameters<ExperimentStore["write"]>[1]): Promise<boolean> {
    let isChange = false;
    await this.#options.store.write(who, (state: StoreState) => {
      const made = change(state);
      isChange = made.experiments !== undefined;
      return made;
    });
    return isChange;
  }

  async #rampOf(experiment: Experiment, guarded: Guarded | undefined): Promise<RampHealth | undefined> {
    const { id, revision, ramp } = experiment;
    if (ramp === undefined) return undefined;
    const known = guarded?.history;
    const history =
      known?.at(-1)?.document.revision === revision ? known : await this.#options.store.history(id);
    const place = rampPlace(history, this.#options.clock.now());
    return place && rampView(experiment, ramp.length, place, guarded?.heldBy);
  }
}

/** When the phase began to run, ms since 1970. */
function beganAt(history: readonly Revision<Experiment>[], phase: number): number {
  const first = history.find(({ document }) => document.phase === phase && document.status === "running");
  return first?.at ?? history.at(-1)?.at ?? 0;
}

function revivedAt(history: readonly Revision<Experiment>[]): number {
  const last = history.findLastIndex(
    ({ document }, index) =>
      document.killed === undefined && history[index - 1]?.document.killed !== undefined,
  );
  return history[last]?.document.revision ?? 0;
}
