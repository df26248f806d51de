/** The experiment store of one data directory: every revision of every experiment, in SQLite, never overwritten. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../domain/clock.ts";
import { SetlistError } from "../domain/error.ts";
import type { ExperimentStore } from "../domain/experiment-store.ts";
import type { ModelLabelStore } from "../domain/model-life.ts";
import { applied, isEmpty } from "./applied.ts";
import { openDatabase } from "./database.ts";
import { FollowedState } from "./followed-state.ts";
import { LabelTable } from "./label-table.ts";
import { stateHash } from "./state-hash.ts";
import { Tables } from "./tables.ts";
import { awaitedTransaction } from "./transaction.ts";

export { fleetOf } from "./last-good-copy.ts";
export { openFleetStore, readFleetState } from "./open-fleet-store.ts";

const fileName = "experiments.sqlite";

/** How often to look whether another process wrote: well within the second in which a change takes effect. */
const lookMs = 250;

export type RegistryOptions =
  | { readonly dataDir: string; readonly readOnly?: false; readonly clock: Clock }
  /** Never writes; works beside a server that has the store open. */
  | { readonly dataDir: string; readonly readOnly: true; readonly clock: Clock };

/** The store, and beside it where the models' labels are kept; these cannot be read or moved where it is read-only. */
export interface Registry extends ExperimentStore {
  readonly labels: ModelLabelStore;
}

/** True where the data directory has a store to open read-only. */
export function hasRegistry(dataDir: string): boolean {
  return existsSync(join(dataDir, fileName));
}

/**
 * Opens the store of a data directory; makes both where they do not exist, unless `readOnly`.
 * @throws {SetlistError} NOT_FOUND where `readOnly` and there is no store yet; UNAVAILABLE where the file cannot be
 *   opened, is no store, or was written by a newer Setlist.
 */
export function openRegistry(options: RegistryOptions): Registry {
  const { dataDir } = options;
  const readOnly = options.readOnly === true;
  if (readOnly && !hasRegistry(dataDir)) {
    const isLanded = existsSync(join(dataDir, "warehouse")) && !existsSync(join(dataDir, "log"));
    throw new SetlistError(
      "NOT_FOUND",
      isLanded
        ? `no experiments in ${dataDir}, which \`setlist ingest\` filled: name the fleet's store with experimentStore.url, or copy a server's ${fileName} there`
        : `no experiments in ${dataDir} yet: \`setlist serve --data-dir ${dataDir}\` makes its store when it starts`,
    );
  }
  const database = openDatabase(join(dataDir, fileName), readOnly);
  const tables = new Tables(database);
  let seen = dataVersion(database);
  const followed = new FollowedState(tables.state());
  const look = (): void => {
    try {
      const version = dataVersion(database);
      if (version === seen && followed.stale === undefined) return;
      followed.take(tables.state());
      seen = version;
    } catch (error) {
      followed.miss(options.clock.now(), error);
    }
  };
  const looking = setInterval(look, lookMs).unref();
  const write: ExperimentStore["write"] = async (who, change) => {
    if (readOnly)
      throw new SetlistError("UNAVAILABLE", `the experiments of ${dataDir} were opened to be read`);
    const next = await awaitedTransaction(database, () => {
      const standing = tables.state();
      const made = change(standing);
      if (isEmpty(made)) return standing;
      const next = applied(standing, made);
      tables.insert(made, { who, at: options.clock.now(), hash: stateHash(next) });
      return next;
    });
    followed.take(next);
    return followed.state;
  };
  return {
    labels: readOnly ? noLabels : new LabelTable(database, options.clock),
    current: () => followed.state,
    list: () => followed.state.experiments,
    get: (id) => followed.state.experiments.find((one) => one.id === id),
    async refresh() {
      look();
      return followed.state;
    },
    stale: () => followed.stale,
    onChange: (listener) => followed.onChange(listener),
    write,
    history: async (id) => tables.experiments.of(id),
    surfaceHistory: async (surface) => tables.surfaces.of(surface),
    killSwitchHistory: async () => tables.killSwitchHistory(),
    async close() {
      clearInterval(looking);
      database.close();
    },
  };
}

/** Another number whenever another connection has committed something. */
function dataVersion(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA data_version").get()?.["data_version"]);
}

const noLabels: ModelLabelStore = {
  list: () => [],
  history: () => [],
  move() {
    throw new SetlistError("UNAVAILABLE", "labels: the store was opened to be read");
  },
};
