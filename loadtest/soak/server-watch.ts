import { setTimeout as delay } from "node:timers/promises";
import { treeProcessorMs } from "../process-figures.ts";
import type { ApiCaller } from "./api-caller.ts";
import { type MetricLine, metricValue, readMetrics } from "./metrics-text.ts";
import { folderBytes, type ProcessSample, sampleProcesses } from "./server-samples.ts";
import type { SoakedServer } from "./soaked-server.ts";

/** What was seen of the server since the look before. */
export interface ServerLook {
  /** Resident memory of the process that answers, and of those that run models, MiB. */
  readonly serverMib: number;
  readonly inferenceMib: number;
  /** The most that its compactions and analyses took at one moment, MiB. */
  readonly passingMib: number;
  readonly heapMib: number;
  readonly externalMib: number;
  readonly openFiles: number;
  /** The highest p99 of the event loop's delay between two scrapes, ms. */
  readonly loopLagP99Ms: number;
  /** Of all its processes, in cores. */
  readonly cores: number;
  readonly dataMib: number;
  /** The most sealed segments that waited for their Parquet. */
  readonly segmentsWaiting: number;
}

export interface ServerWatch {
  /** Scrapes and samples until the signal. */
  run(pauseMs: number, signal: AbortSignal): Promise<void>;
  scrape(): Promise<readonly MetricLine[]>;
  look(): Promise<ServerLook>;
}

const mib = 1_048_576;
/** Those that live as long as the server; the others come and go. */
const lasting = ["server", "inference"];

export function watchServer({ server, dataDir }: SoakedServer, { call }: ApiCaller): ServerWatch {
  let samples: ProcessSample[][] = [];
  let scrapes: (readonly MetricLine[])[] = [];
  let before = { at: performance.now(), cpuMs: treeProcessorMs(server.pid) };

  async function scrape(): Promise<readonly MetricLine[]> {
    return readMetrics((await call("GET", "/metrics")).text);
  }

  const sumOf = (sample: readonly ProcessSample[], is: (what: string) => boolean, of: "mib" | "openFiles") =>
    sample.filter(({ what }) => is(what)).reduce((sum, one) => sum + one[of], 0);
  const meanOf = (what: string, of: "mib" | "openFiles") =>
    mean(samples.map((sample) => sumOf(sample, (it) => it === what, of)));
  const metric = (name: string): number[] => scrapes.map((lines) => metricValue(lines, name));

  return {
    scrape,
    async run(pauseMs, signal) {
      while (!signal.aborted) {
        await delay(pauseMs, undefined, { signal }).catch(() => undefined);
        samples.push(sampleProcesses(server.pid));
        scrapes.push(await scrape());
      }
    },
    async look() {
      const now = { at: performance.now(), cpuMs: treeProcessorMs(server.pid) };
      const look: ServerLook = {
        serverMib: meanOf("server", "mib"),
        inferenceMib: meanOf("inference", "mib"),
        passingMib: Math.max(0, ...samples.map((one) => sumOf(one, (it) => !lasting.includes(it), "mib"))),
        heapMib: mean(metric("nodejs_heap_size_used_bytes")) / mib,
        externalMib: mean(metric("nodejs_external_memory_bytes")) / mib,
        openFiles: meanOf("server", "openFiles") + meanOf("inference", "openFiles"),
        loopLagP99Ms: 1_000 * Math.max(0, ...metric("nodejs_eventloop_lag_p99_seconds")),
        cores: (now.cpuMs - before.cpuMs) / (now.at - before.at),
        dataMib: (await folderBytes(dataDir)) / mib,
        segmentsWaiting: Math.max(0, ...metric("setlist_compaction_segments_waiting")),
      };
      before = now;
      samples = [];
      scrapes = [];
      return look;
    },
  };
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
