import type { SetlistConfig } from "../../config.ts";
import type { ArmCounts } from "../../domain/arm-counts.ts";
import type { ExperimentHealth } from "../../domain/experiment-health.ts";
import type { LogTrouble } from "../../domain/outcome-log.ts";
import type { ModelCommand } from "../../processes/processes.ts";
import type { MetricsSnapshot } from "../../telemetry/telemetry.ts";
import type { Ports } from "../answering.ts";

/** What the process that supervises asks of one that answers. */
export interface AnsweringCalls {
  /** Loads and warms everything; resolves once it could serve. */
  start(order: StartOrder): Promise<void>;
  serve(ports: Ports): Promise<void>;
  /** Answered at once by any process that gets to it. */
  live(): Promise<void>;
  changeModels(command: ModelCommand): Promise<void>;
  snapshot(): Promise<MetricsSnapshot>;
  /** What it answered for arms since it was last asked. */
  armCounts(): Promise<readonly ArmCounts[]>;
  /** Resolves once all that was accepted is answered, and all that was logged is written. */
  drain(): Promise<void>;
}

/** What a process that answers asks of the one that supervises. */
export interface SupervisingCalls {
  /** Has every process carry out the command. */
  changeModels(command: ModelCommand): Promise<void>;
  /** The metrics of all processes, as text. */
  metrics(): Promise<string>;
  /** As `ExperimentHealthSource`. */
  healthOf(id: string): Promise<ExperimentHealth>;
  /** Why the disk refuses the one log, undefined where it does not. */
  logTrouble(): Promise<LogTrouble | undefined>;
}

export interface StartOrder {
  readonly number: number;
  readonly config: SetlistConfig;
  /** The file of the world's imported rows. */
  readonly rows: string;
  /** Whether the configuration's experiments are written to the store, or are there already. */
  readonly experiments: "configured" | "stored";
}

/** The descriptor of the stream to the log, behind standard input, output, error and the channel of these calls. */
export const logDescriptor = 4;
