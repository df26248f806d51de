import type { DatabaseSync } from "node:sqlite";
import type { Experiment } from "../domain/experiment.ts";
import {
  emptyState,
  type KillSwitch,
  type StoreChange,
  type StoreState,
  type SurfaceDefault,
} from "../domain/store-state.ts";
import { RevisionTable } from "./revision-table.ts";
import { theSwitch } from "./switch-key.ts";

/** The store's tables; whoever uses them sees to transactions. */
export class Tables {
  readonly experiments: RevisionTable<Experiment>;
  readonly surfaces: RevisionTable<SurfaceDefault>;
  readonly #killSwitch: RevisionTable<KillSwitch>;

  constructor(database: DatabaseSync) {
    this.experiments = new RevisionTable(database, "revisions", "experiment", ({ id }) => id);
    this.surfaces = new RevisionTable(database, "surface_revisions", "surface", ({ surface }) => surface);
    this.#killSwitch = new RevisionTable(database, "kill_switch_revisions", "switch", () => theSwitch);
  }

  state(): StoreState {
    return {
      experiments: this.experiments.latest(),
      surfaces: this.surfaces.latest(),
      killSwitch: this.#killSwitch.latest()[0] ?? emptyState.killSwitch,
    };
  }

  killSwitchHistory(): ReturnType<RevisionTable<KillSwitch>["of"]> {
    return this.#killSwitch.of(theSwitch);
  }

  insert(
    change: StoreChange,
    by: { readonly who: string; readonly at: number; readonly hash: string },
  ): void {
    for (const written of change.experiments ?? []) this.experiments.insert({ ...written, ...by });
    for (const written of change.surfaces ?? []) this.surfaces.insert({ ...written, ...by });
    if (change.killSwitch !== undefined) this.#killSwitch.insert({ ...change.killSwitch, ...by });
  }
}
