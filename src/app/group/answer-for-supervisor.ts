import { Socket } from "node:net";
import { SetlistError } from "../../domain/error.ts";
import { RemoteLog } from "../../outcomes/outcomes.ts";
import { Calls, carryOut, sharedLibrary } from "../../processes/processes.ts";
import { createTelemetry, type Telemetry } from "../../telemetry/telemetry.ts";
import { type Answering, openAnswering } from "../answering.ts";
import { configuredExperiments, storedExperiments } from "../experiment-source.ts";
import { systemClock } from "../system-clock.ts";
import {
  type AnsweringCalls,
  logDescriptor,
  type StartOrder,
  type SupervisingCalls,
} from "./process-calls.ts";

interface Started {
  readonly telemetry: Telemetry;
  readonly answering: Answering;
}

/** Answers as the supervising process at the other end of the channel says, and ends when it does. */
export function answerForSupervisor(): void {
  let started: Started | undefined;
  let drained = false;
  /** Without the log nothing can be answered honestly, and others may want the ports. */
  const end = (): void => {
    if (!drained) started?.telemetry.logger.fatal("the supervising process has ended: so does this one");
    process.exit(drained ? 0 : 1);
  };
  const running = (): Started => {
    if (started === undefined) throw new SetlistError("UNAVAILABLE", "this process has not started yet");
    return started;
  };
  const mine: AnsweringCalls = {
    async start(order) {
      started = await start(order, supervisor, end);
    },
    async serve(ports) {
      await running().answering.listen(ports);
    },
    live: async () => undefined,
    changeModels: async (command) => carryOut(command, running().answering.library),
    armCounts: async () => running().answering.armTraffic.take(),
    snapshot: async () => running().telemetry.snapshot(),
    async drain() {
      await running().answering.close();
      drained = true;
    },
  };
  const supervisor = new Calls<SupervisingCalls>(process, { ...mine });
  process.on("disconnect", end);
}

async function start(
  order: StartOrder,
  supervisor: Calls<SupervisingCalls>,
  onLost: () => void,
): Promise<Started> {
  const { number, config, rows } = order;
  const telemetry = createTelemetry({ clock: systemClock, logLevel: config.logLevel, process: number });
  const answering = await openAnswering(config, async (opened) => ({
    telemetry,
    log: opened.adopt(new RemoteLog(new Socket({ fd: logDescriptor }), onLost), (it) => it.close()),
    rows,
    experiments:
      order.experiments === "configured"
        ? configuredExperiments(config.experiments, (warning) => telemetry.logger.warn(warning))
        : storedExperiments,
    metrics: { contentType: telemetry.metrics.contentType, render: () => supervisor.ask("metrics") },
    libraryOf: (own) => sharedLibrary(own, (command) => supervisor.ask("changeModels", command)),
    health: { healthOf: (id) => supervisor.ask("healthOf", id) },
    // A supervisor that has ended says nothing: this process ends with it.
    logTrouble: () => supervisor.ask("logTrouble").catch(() => undefined),
    sharedPorts: true,
  }));
  return { telemetry, answering };
}
