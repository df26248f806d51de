import type { SetlistConfig } from "../config.ts";
import type { ModelLabelStore } from "../domain/model-life.ts";
import type { ExperimentStore } from "../domain/ports.ts";
import type { StoreState } from "../domain/store-state.ts";
import { hasRegistry, openFleetStore, openRegistry, readFleetState } from "../registry/registry.ts";
import { systemClock } from "./system-clock.ts";

type Kept = Pick<SetlistConfig, "dataDir" | "experimentStore">;

/** Only for moments to wait until: nothing that would have to repeat itself. */
const random = { next: Math.random };

/**
 * The store of this server's experiments, its fleet's or its own, and where its models' labels are kept: always its own,
 * since they name versions of the repository that it sees.
 * @throws {SetlistError} UNAVAILABLE where it cannot be opened.
 */
export async function openExperiments(
  { dataDir, experimentStore: { url } }: Kept,
  opened: AsyncDisposableStack,
  onWarning: (message: string, fields?: Record<string, unknown>) => void,
): Promise<{ readonly store: ExperimentStore; readonly labels: ModelLabelStore }> {
  const clock = systemClock;
  const registry = opened.adopt(openRegistry({ dataDir, clock }), (it) => it.close());
  const { labels } = registry;
  if (url === undefined) return { store: registry, labels };
  const store = await openFleetStore({ url, dataDir, clock, random, onWarning });
  return { store: opened.adopt(store, (it) => it.close()), labels };
}

/**
 * What stands in the store that a server with this configuration would use, without writing anything; undefined where
 * there is none yet.
 * @throws {SetlistError} UNAVAILABLE where it cannot be read.
 */
export async function readExperiments({
  dataDir,
  experimentStore: { url },
}: Kept): Promise<StoreState | undefined> {
  if (url !== undefined) return readFleetState({ url, dataDir });
  if (!hasRegistry(dataDir)) return undefined;
  const registry = openRegistry({ dataDir, readOnly: true, clock: systemClock });
  const state = registry.current();
  await registry.close();
  return state;
}
