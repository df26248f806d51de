import {
  loadTruth,
  readWorld,
  type SimulationOptions,
  type SimulationSummary,
  simulate,
} from "../simulation/simulation.ts";

export type { SimulationProgress, SimulationSummary } from "../simulation/simulation.ts";

export interface WorldSimulationOptions extends Omit<SimulationOptions, "run"> {
  /** Folder of the world's four files. */
  readonly world: string;
  /** Prefix of every id sent; made from the seed and the time where undefined, so that runs never collide. */
  readonly run?: string | undefined;
}

/**
 * Reads the world and lets its listeners loose on a running server.
 * @throws {SetlistError} where the world's files are missing or changed, or no server answers.
 */
export async function simulateWorld(options: WorldSimulationOptions): Promise<SimulationSummary> {
  const { world, truthFile } = await readWorld(options.world);
  const { truth, close } = await loadTruth(truthFile);
  try {
    const run = options.run ?? `sim${options.seed}-${Date.now().toString(36)}`;
    return await simulate(world, truth, { ...options, run });
  } finally {
    await close();
  }
}
