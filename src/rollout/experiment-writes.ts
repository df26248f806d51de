import { invalidArgument, SetlistError } from "../domain/error.ts";
import type { Experiment, ExperimentDocument } from "../domain/experiment.ts";
import type { ExperimentStore } from "../domain/experiment-store.ts";
import type { KillSwitch, StoreChange, StoreState, SurfaceDefault } from "../domain/store-state.ts";
import {
  type Confirmation,
  created,
  type FieldChange,
  fieldChanges,
  imported,
  type Known,
  killed,
  type Move,
  moved,
  replaced,
  restored,
  revived,
  shipped,
  switched,
} from "../experiments/experiments.ts";
import { checkText } from "../schema/text.ts";
import { type WrittenDocument, writtenDocument } from "./written-document.ts";

/** Who writes, and how it is meant. */
export interface By {
  /** For the history. */
  readonly who: string;
  /** Answers what would be, and writes nothing. */
  readonly dryRun?: boolean | undefined;
  readonly confirmed?: readonly Confirmation[] | undefined;
}

/** What a write did, or would do. */
export interface MadeChange {
  /** As in the history; empty where everything stands already. */
  readonly what: string;
  readonly fields: readonly FieldChange[];
  readonly dryRun: boolean;
}

export interface WrittenExperiment {
  readonly experiment: Experiment;
  readonly change: MadeChange;
}

export interface WritesOptions {
  readonly store: Pick<ExperimentStore, "refresh" | "stale" | "write">;
  /** What documents are held against, at the moment. */
  readonly known: () => Known;
  /**
   * Has all models loaded that a change needs, before it is written; they are kept until what it answers is called.
   * @throws {SetlistError} INVALID_ARGUMENT with the arm whose model cannot be served, and why.
   */
  readonly prepare: (change: StoreChange) => Promise<() => void>;
}

/**
 * The one door for whoever changes experiments, over whichever transport. Revisions are those that were read; errors are
 * those of `experiments/life.ts`, and what is refused changes nothing.
 */
export class ExperimentWrites {
  readonly #options: WritesOptions;

  constructor(options: WritesOptions) {
    this.#options = options;
  }

  async create(written: unknown, by: By): Promise<WrittenExperiment> {
    const { document } = writtenDocument(written, undefined);
    return this.#one(document.id, by, (state) => created(state, document, this.#options.known()));
  }

  /**
   * @param id of the address; a document that says another is refused.
   * @param revision counts, whatever the document says.
   */
  async replace(id: string, revision: number, written: unknown, by: By): Promise<WrittenExperiment> {
    const read = writtenDocument(written, id);
    const { confirmed = [] } = by;
    return this.#one(id, by, (state) =>
      replaced(state, documentOver(state, read), { revision, confirmed, known: this.#options.known() }),
    );
  }

  /** @param winner of a stop: the arm that it is stopped for. */
  move(
    move: Move,
    id: string,
    revision: number,
    winner: string | undefined,
    by: By,
  ): Promise<WrittenExperiment> {
    return this.#one(id, by, (state) =>
      moved(state, move, { id, revision, winner, known: this.#options.known() }),
    );
  }

  /** @param arm the winner, where undefined. */
  ship(id: string, revision: number, arm: string | undefined, by: By): Promise<WrittenExperiment> {
    return this.#one(id, by, (state) => shipped(state, { id, revision, arm }));
  }

  /** @param revision not looked at where undefined. */
  async kill(id: string, revision: number | undefined, reason: string, by: By): Promise<WrittenExperiment> {
    checkReason(reason);
    return this.#one(id, by, (state) => killed(state, { id, revision, reason }));
  }

  revive(id: string, revision: number, by: By): Promise<WrittenExperiment> {
    return this.#one(id, by, (state) => revived(state, { id, revision }));
  }

  /** All or none; each document may say the revision that it was compared with, 0 or none where it is to be new. */
  async import(documents: readonly unknown[], by: By): Promise<readonly WrittenExperiment[]> {
    const read = documents.map((one) => writtenDocument(one, undefined));
    const { confirmed = [] } = by;
    const { before, after, change } = await this.#write(by, (state) =>
      imported(
        state,
        read.map((one) => ({ document: documentOver(state, one), revision: one.revision ?? 0 })),
        { confirmed, known: this.#options.known() },
      ),
    );
    return read.map(({ document: { id } }) => writtenExperiment(id, { before, after, change }, by));
  }

  /** @param revision not looked at where undefined. */
  async killSwitch(
    to: { readonly on: boolean; readonly reason: string; readonly revision: number | undefined },
    by: By,
  ): Promise<{ readonly killSwitch: KillSwitch; readonly change: MadeChange }> {
    if (to.on) checkReason(to.reason);
    const { before, change } = await this.#write(by, (state) => switched(state, to));
    const killSwitch = change.killSwitch?.document ?? before.killSwitch;
    const fields = (["on", "reason"] as const)
      .filter((field) => before.killSwitch[field] !== killSwitch[field])
      .map((field) => ({ field, before: before.killSwitch[field], after: killSwitch[field] }));
    return {
      killSwitch,
      change: { what: change.killSwitch?.what ?? "", fields, dryRun: by.dryRun === true },
    };
  }

  /** Back to the configuration's default. */
  async restore(
    surface: string,
    revision: number,
    by: By,
  ): Promise<{ readonly surface: SurfaceDefault; readonly change: MadeChange }> {
    const { before, change } = await this.#write(by, (state) => restored(state, surface, revision));
    const [written] = change.surfaces ?? [];
    if (written === undefined) throw new Error("a surface was restored without a change");
    return {
      surface: written.document,
      change: { what: written.what, fields: defaultChanges(before, change), dryRun: by.dryRun === true },
    };
  }

  async #one(id: string, by: By, change: (state: StoreState) => StoreChange): Promise<WrittenExperiment> {
    return writtenExperiment(id, await this.#write(by, change), by);
  }

  /** First without writing: what is refused, and what needs a model, must not hold up other writers. */
  async #write(by: By, change: (state: StoreState) => StoreChange): Promise<MadeWrite> {
    const { store, prepare } = this.#options;
    const before = await store.refresh();
    const planned = { before, change: this.#planned(change, before) };
    const release = await prepare(planned.change);
    try {
      if (by.dryRun === true) return { ...planned, after: before };
      let made = planned;
      const after = await store.write(by.who, (state) => {
        made = { before: state, change: change(state) };
        return made.change;
      });
      return { ...made, after };
    } finally {
      release();
    }
  }

  /** @throws {SetlistError} UNAVAILABLE where what is refused may be out of date: "read it again" would not help then. */
  #planned(change: (state: StoreState) => StoreChange, standing: StoreState): StoreChange {
    try {
      return change(standing);
    } catch (error) {
      const stale = this.#options.store.stale();
      if (stale === undefined || !(error instanceof SetlistError) || error.code === "INVALID_ARGUMENT") {
        throw error;
      }
      throw new SetlistError(
        "UNAVAILABLE",
        `the experiment store cannot be asked now: ${stale.reason}; nothing was changed`,
        { cause: error },
      );
    }
  }
}

interface MadeWrite {
  readonly before: StoreState;
  readonly change: StoreChange;
  readonly after: StoreState;
}

function writtenExperiment(id: string, { before, change, after }: MadeWrite, by: By): WrittenExperiment {
  const standing = before.experiments.find((one) => one.id === id);
  const written = change.experiments?.find(({ document }) => document.id === id);
  const experiment = written?.document ?? after.experiments.find((one) => one.id === id);
  if (experiment === undefined) throw new Error(`${id} was written and is not there`);
  const fields = written === undefined ? [] : fieldChanges(standing, experiment);
  return {
    experiment,
    change: {
      what: written?.what ?? "",
      fields: [...fields, ...defaultChanges(before, change)],
      dryRun: by.dryRun === true,
    },
  };
}

function defaultChanges(before: StoreState, { surfaces = [] }: StoreChange): readonly FieldChange[] {
  return surfaces.map(({ document: { surface, shipped } }) => ({
    field: `surfaces.${surface}.default`,
    before: before.surfaces.find((one) => one.surface === surface)?.shipped,
    after: shipped,
  }));
}

/** A document that says no status leaves it as it stands, and one that says no traffic the step that its ramp is at. */
function documentOver(
  { experiments }: StoreState,
  { document, saysStatus, saysTraffic }: WrittenDocument,
): ExperimentDocument {
  const standing = experiments.find(({ id }) => id === document.id);
  if (standing === undefined) return document;
  const { traffic } = standing;
  const isStep = document.ramp?.some((step) => step.traffic === traffic) === true;
  return {
    ...document,
    ...(!saysStatus && { status: standing.status }),
    ...(!saysTraffic && isStep && { traffic }),
  };
}

const reasonCharactersMax = 1_024;

function checkReason(reason: string): void {
  checkText(reason, "reason");
  if (reason.trim() !== "" && reason.length <= reasonCharactersMax) return;
  throw invalidArgument(
    `reason: expected why, in 1 to ${reasonCharactersMax} characters, for whoever finds it off`,
  );
}
