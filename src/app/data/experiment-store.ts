import type { SetlistConfig } from "../../config.ts";
import { invalidArgument } from "../../domain/error.ts";
import type { ExperimentStore } from "../../domain/experiment-store.ts";
import type { ModelLabelStore } from "../../domain/model-life.ts";
import type { StoreState } from "../../domain/store-state.ts";
import {
  fleetOf,
  hasRegistry,
  openFleetStore,
  openRegistry,
  readFleetState,
} from "../../registry/registry.ts";
import { systemClock } from "../system-clock.ts";

type Kept = Pick<SetlistConfig, "dataDir" | "experimentStore">;
type Warn = (message: string, fields?: Record<string, unknown>) => void;

/** Only for moments to wait until: nothing that would have to repeat itself. */
const random = { next: Math.random };

/**
 * The store of this server's experiments, its fleet's or its own, and where its models' labels are kept: always its own,
 * since they name versions of the repository that it sees.
 * @throws {SetlistError} UNAVAILABLE where it cannot be opened; INVALID_ARGUMENT as `checkFleet`.
 */
export async function openExperiments(
  kept: Kept,
  opened: AsyncDisposableStack,
  onWarning: Warn,
): Promise<{ readonly store: ExperimentStore; readonly labels: ModelLabelStore }> {
  checkFleet(kept);
  const { dataDir, experimentStore } = kept;
  const { url } = experimentStore;
  const registry = opened.adopt(openRegistry({ dataDir, clock: systemClock }), (it) => it.close());
  const { labels } = registry;
  if (url === undefined) return { store: registry, labels };
  const store = await openFleet(url, dataDir, onWarning);
  return { store: opened.adopt(store, (it) => it.close()), labels };
}

/**
 * The same for whoever only asks it, beside a server that has it open.
 * @throws {SetlistError} NOT_FOUND where the data directory has none yet; UNAVAILABLE where it cannot be opened;
 *   INVALID_ARGUMENT as `checkFleet`.
 */
export async function openExperimentsToRead(kept: Kept): Promise<ExperimentStore> {
  checkFleet(kept);
  const { dataDir, experimentStore } = kept;
  const { url } = experimentStore;
  if (url === undefined) return openRegistry({ dataDir, readOnly: true, clock: systemClock });
  return openFleet(url, dataDir, () => undefined);
}

/**
 * True where there is something for `readExperiments` to read.
 * @throws {SetlistError} as `checkFleet`.
 */
export function hasExperiments(kept: Kept): boolean {
  checkFleet(kept);
  return kept.experimentStore.url !== undefined || hasRegistry(kept.dataDir);
}

/**
 * What stands in the store that a server with this configuration would use. Nothing is written.
 * @throws {SetlistError} NOT_FOUND where the data directory has none yet; UNAVAILABLE where it cannot be read;
 *   INVALID_ARGUMENT as `checkFleet`.
 */
export async function readExperiments(kept: Kept): Promise<StoreState> {
  const { dataDir, experimentStore } = kept;
  if (experimentStore.url !== undefined) return readFleetState({ url: experimentStore.url, dataDir });
  const registry = await openExperimentsToRead(kept);
  const state = registry.current();
  await registry.close();
  return state;
}

function openFleet(url: string, dataDir: string, onWarning: Warn): Promise<ExperimentStore> {
  return openFleetStore({ url, dataDir, clock: systemClock, random, onWarning });
}

/**
 * A fleet's data directory has a store of its own as well, for labels: whoever forgets the fleet's address would read
 * experiments there that nobody serves, and kill one that goes on.
 * @throws {SetlistError} INVALID_ARGUMENT where the directory was a fleet's last, and no address says of which.
 */
function checkFleet({ dataDir, experimentStore: { url } }: Kept): void {
  const database = url === undefined ? fleetOf(dataDir) : undefined;
  if (database === undefined) return;
  throw invalidArgument(
    `experimentStore.url (SETLIST_EXPERIMENT_STORE_URL): expected, since the experiments of ${dataDir} are those of a fleet, in ${database}; remove experiments-copy.json there to leave the fleet`,
  );
}
