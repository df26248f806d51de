/** Simulated listeners: they visit, are shown what the server ranks, act as the world's truth says, and report it. */
import { createApiClient, expectServer } from "./api-client.ts";
import { createOutcomeSender } from "./outcome-sender.ts";
import { createRetrieval } from "./retrieval.ts";
import { createTally, type SimulationProgress, type SimulationSummary } from "./tally.ts";
import { loadTruth } from "./truth-model.ts";
import { planVisits } from "./visit.ts";
import { createVisitor } from "./visitor.ts";
import type { Truth, World } from "./world.ts";
import { readWorld } from "./world-files.ts";

export type { SimulationProgress, SimulationSummary } from "./tally.ts";

export interface SimulationOptions {
  readonly url: string;
  readonly seed: number;
  /** The first so many of the world's listeners; all where undefined. */
  readonly listeners?: number | undefined;
  /** Ends after so many visits, or after so many seconds, whichever is given; the first of the two where both are. */
  readonly requests?: number | undefined;
  readonly seconds?: number | undefined;
  /** Visits at once. */
  readonly concurrency: number;
  /** Items that a frontend shows of a ranking. */
  readonly limit?: number;
  /** Prefix of every request and outcome id: two runs against one log need two. */
  readonly run: string;
  readonly onProgress?: ((progress: SimulationProgress) => void) | undefined;
  /** Ends early: visits under way are finished and reported. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs the simulation against a running server. Equal seeds, options and server states give equal outcomes, whatever
 * the concurrency; `seconds` only decides how much of the same plan is walked.
 * @throws {SetlistError} UNAVAILABLE where no ready server answers at the start. Later faults are counted.
 */
export async function simulate(
  world: World,
  truth: Truth,
  options: SimulationOptions,
): Promise<SimulationSummary> {
  await expectServer(options.url);
  const client = createApiClient({ url: options.url, connectionsMax: options.concurrency + 1 });
  const tally = createTally(options.run, options.seed);
  const outcomes = createOutcomeSender(client);
  const visitor = createVisitor({
    world,
    truth,
    retrieval: createRetrieval(world),
    client,
    outcomes,
    tally,
    run: options.run,
    limit: options.limit ?? 10,
  });
  const plan = planVisits(world, options.seed, options.listeners ?? world.listeners.length);
  const endAt = performance.now() + 1_000 * (options.seconds ?? Number.POSITIVE_INFINITY);
  const visitsMax = options.requests ?? Number.POSITIVE_INFINITY;
  let begun = 0;

  async function walk(): Promise<void> {
    while (begun < visitsMax && performance.now() < endAt && options.signal?.aborted !== true) {
      begun++;
      await visitor.visit(plan.next());
      options.onProgress?.(tally.progress());
    }
  }

  try {
    await Promise.all(Array.from({ length: options.concurrency }, walk));
    return tally.summary(await outcomes.flush(), client.retries);
  } finally {
    client.close();
  }
}

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
