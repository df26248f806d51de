import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AnalysisReport } from "../analysis/analysis.ts";
import { SetlistError } from "../domain/error.ts";
import { type SimulationProgress, type SimulationSummary, simulateWorld } from "../simulation/simulation.ts";
import { analyzeDataDirectory } from "./data/analyze-data.ts";
import { readExperiments } from "./data/experiment-store.ts";
import { startServerProcess } from "./server-process.ts";

export interface DemoOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly listeners?: number | undefined;
  readonly concurrency: number;
  /** Kept where given; else a temporary folder that is gone afterwards. */
  readonly dataDir?: string | undefined;
  readonly world: string;
  readonly onServing: (url: string, dataDir: string) => void;
  readonly onProgress: (progress: SimulationProgress) => void;
  /** Ends the demo early: the server is stopped in order and nothing is analysed. */
  readonly signal: AbortSignal;
}

export interface DemoResult {
  readonly summary: SimulationSummary;
  /** One for each running experiment; empty where the demo was ended early. */
  readonly reports: readonly AnalysisReport[];
}

/**
 * The whole loop: a server of our own, simulated listeners, an orderly stop, the analysis of what was recorded.
 * Whatever happens on the way, the server is stopped and a temporary folder removed.
 * @throws {SetlistError} where the server does not become ready or does not stop in order, or the world is missing.
 */
export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), "setlist-demo-")));
  try {
    const summary = await serveAndSimulate(options, dataDir);
    return { summary, reports: options.signal.aborted ? [] : await analyzeRunning(dataDir) };
  } finally {
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
  }
}

async function serveAndSimulate(options: DemoOptions, dataDir: string): Promise<SimulationSummary> {
  const server = await startServerProcess({ dataDir });
  let summary: SimulationSummary;
  try {
    const url = `http://127.0.0.1:${server.httpPort}`;
    options.onServing(url, dataDir);
    summary = await simulateWorld({ ...options, url });
  } catch (error) {
    await server.stop();
    throw error;
  }
  const code = await server.stop();
  if (code === 0) return summary;
  throw new SetlistError("INTERNAL", `the demo's server ended with ${code} instead of 0 when asked to stop`);
}

async function analyzeRunning(dataDir: string): Promise<AnalysisReport[]> {
  const { experiments } = await readExperiments({ dataDir, experimentStore: {} });
  const running = experiments.filter(({ status }) => status === "running");
  const reports: AnalysisReport[] = [];
  for (const { id } of running) {
    reports.push(await analyzeDataDirectory({ dataDir, experiment: id, alpha: 0.05 }));
  }
  return reports;
}
