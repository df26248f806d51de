import { availableParallelism } from "node:os";
import type { App } from "../../app.ts";
import { type SetlistConfig, withUserIdKey } from "../../config.ts";
import type { ArmCounts } from "../../domain/arm-counts.ts";
import { serveLog } from "../../outcomes/outcomes.ts";
import {
  AskedProcesses,
  Fleet,
  type Member,
  ModelCommands,
  watchSignOfLife,
} from "../../processes/processes.ts";
import {
  createLogger,
  guardianObserver,
  type MetricsSnapshot,
  SummedMetrics,
} from "../../telemetry/telemetry.ts";
import { compactingOver } from "../beside/background-compaction.ts";
import { openExperiments } from "../data/experiment-store.ts";
import { openGround } from "../ground.ts";
import { guardianOver } from "../guardian-over.ts";
import { systemClock } from "../system-clock.ts";
import { freePorts } from "./free-ports.ts";
import { startAnswering } from "./start-answering.ts";

/** For what is in flight when the drain delay is over, and for both ports' own grace of 10 s. */
const closeMsMax = 13_000;

/** A process that serves or stands by and answers nothing for so long hangs, for all that its clients can tell. */
const silentSecondsMax = 10;

/** What loads for longer hangs: generous, since an execution provider may compile a model for minutes. */
const startMsMax = 600_000;

/**
 * The server in several processes: those that answer, and this one, which answers nothing, writes their one log and
 * replaces those that end. Every process that serves is loaded and checked when it resolves; nothing listens yet.
 * @throws {SetlistError} as `createApp`.
 */
export async function createProcessGroup(configured: SetlistConfig): Promise<App> {
  // Read once: a process that starts later must not take up another key.
  const config = withUserIdKey(configured);
  const opened = new AsyncDisposableStack();
  try {
    return await assemble(config, opened);
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}

async function assemble(config: SetlistConfig, opened: AsyncDisposableStack): Promise<App> {
  const clock = systemClock;
  const logger = createLogger({ clock, logLevel: config.logLevel });
  const onWarning = (message: string, fields: Record<string, unknown> = {}): void =>
    logger.warn(fields, message);
  for (const warning of config.warnings) onWarning(warning);
  const cores = availableParallelism();
  if (config.processes > cores) {
    onWarning(`processes: ${config.processes} are more than this machine's ${cores} cores`);
  }
  const metrics = new SummedMetrics(() => fleet.counts);
  const snapshots = new AskedProcesses<MetricsSnapshot>((number, said) => metrics.note(number, said));
  const { log, rows } = await openGround(config, opened, onWarning, () => metrics.shipping());

  const commands = new ModelCommands(onWarning);
  metrics.watchLog(log);
  const counts: ArmCounts[] = [];
  const traffic = new AskedProcesses<readonly ArmCounts[]>((_number, said) => counts.push(...said));
  let ports = { httpPort: config.httpPort, grpcPort: config.grpcPort };
  let experiments: "configured" | "stored" = "configured";

  const start = (number: number): Member => {
    const answering = startAnswering(
      { number, config, rows, experiments },
      {
        changeModels: (command) => commands.give(number, command),
        metrics: async () => {
          await snapshots.ask();
          return metrics.render();
        },
        healthOf: (id) => guardian.healthOf(id),
        logTrouble: async () => log.trouble(),
      },
    );
    const { calls, started, ended, kill } = answering;
    serveLog(log, answering.log);
    void ended.then(() => {
      commands.leave(number);
      snapshots.leave(number);
      metrics.ended(number);
      traffic.leave(number);
    });
    return {
      number,
      loaded: started.then(async () => {
        logger.info({ process: number, pid: answering.pid }, "process loaded");
        const stop = watchSignOfLife({
          ask: () => calls.ask("live"),
          everyMs: 1_000,
          turnsMax: silentSecondsMax,
          onSilence() {
            logger.error(
              { process: number },
              `process has not answered for ${silentSecondsMax} s: it is killed`,
            );
            kill();
          },
        });
        void ended.then(stop);
        await commands.join(number, (command) => calls.ask("changeModels", command));
      }),
      async serve() {
        await answering.serve(ports);
        snapshots.join(number, () => calls.ask("snapshot"));
        traffic.join(number, () => calls.ask("armCounts"));
      },
      async drain() {
        await calls.ask("drain");
        answering.disconnect();
      },
      kill,
      ended,
    };
  };

  const fleet = new Fleet({
    serving: config.processes,
    start,
    clock,
    startMsMax,
    drainMsMax: config.drainDelayMs + closeMsMax,
    onEnd({ number, how, why }) {
      if (why === "") logger.error({ process: number }, `process ended ${how}`);
      else logger.error({ process: number, why }, "process could not start");
    },
    onReplace: ({ number, afterMs }) =>
      logger.info(
        { process: number, afterMs: Math.round(afterMs) },
        "process serves in the place of one that ended",
      ),
  });
  await fleet.load();
  // Those that come later take what the store holds: the configuration may have been edited since.
  experiments = "stored";
  const { store } = await openExperiments(config, opened, onWarning);
  const guardian = guardianOver(
    config,
    {
      store,
      clock,
      async collect() {
        await traffic.ask();
        return counts.splice(0);
      },
      observer: guardianObserver(logger, metrics.guardrails, clock),
      metrics: metrics.guardrails,
    },
    opened,
  );
  compactingOver(config, { clock, logger, watch: (state) => metrics.watchCompaction(state) }, opened);
  opened.defer(() => fleet.close());

  return {
    logger,
    failed: fleet.lost,
    async listen() {
      try {
        ports = await freePorts(config.host, ports);
        await fleet.serve();
        logger.info({ ...ports, processes: config.processes }, "ready");
        return ports;
      } catch (error) {
        await opened.disposeAsync();
        throw error;
      }
    },
    close: () => opened.disposeAsync(),
  };
}
