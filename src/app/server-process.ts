import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { SetlistError } from "../domain/error.ts";
import type { Ports } from "./answering.ts";

/** A server of our own in a process of its own, ready to be asked. */
export interface ServerProcess extends Ports {
  readonly pid: number;
  /** SIGTERM, the drain, the end. Answers with the exit code; kills after `stopMsMax`. */
  stop(): Promise<number | null>;
  /** The end without warning, as a crash or a power cut has it. */
  kill(): Promise<void>;
}

export interface ServerProcessOptions {
  readonly dataDir: string;
  /** More flags of `serve`. */
  readonly flags?: readonly string[];
  readonly readyMsMax?: number;
  readonly stopMsMax?: number;
}

const repository = join(import.meta.dirname, "..", "..");
/** Lines of the server's own words that an error repeats. */
const rememberedLines = 8;

/**
 * Starts `setlist serve` on free ports, in our own current folder since paths of flags and variables count from it, and waits until it says that it is ready. It stands in a process group of its
 * own, so that Ctrl-C in a terminal reaches only us and the server is stopped in order; should we end without that,
 * it is killed.
 * @throws {SetlistError} UNAVAILABLE with the server's last words where it does not become ready.
 */
export async function startServerProcess(options: ServerProcessOptions): Promise<ServerProcess> {
  const { dataDir, flags = [], readyMsMax = 60_000, stopMsMax = 20_000 } = options;
  const fixed = ["--http-port", "0", "--grpc-port", "0", "--data-dir", dataDir, "--log-level", "info"];
  const child = spawn(process.execPath, [join(repository, "src", "main.ts"), "serve", ...fixed, ...flags], {
    detached: true,
    // It keeps its experiments and its log to itself, wherever those of this environment's servers are.
    env: { ...process.env, SETLIST_EXPERIMENT_STORE_URL: "", SETLIST_SHIPPING_BROKERS: "" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const killWithUs = (): void => void child.kill("SIGKILL");
  process.once("exit", killWithUs);
  const ended = once(child, "exit").then(([code]) => {
    process.off("exit", killWithUs);
    return code as number | null;
  });
  const { pid } = child;
  // A process that never was emits an error instead of an exit; the sentence below says so already.
  ended.catch(() => undefined);
  if (pid === undefined)
    throw new SetlistError("UNAVAILABLE", `the server did not start: ${process.execPath}`);

  const ports = await ready(child, ended, readyMsMax);
  return {
    pid,
    ...ports,
    async stop() {
      child.kill("SIGTERM");
      const timer = setTimeout(killWithUs, stopMsMax);
      return ended.finally(() => clearTimeout(timer));
    },
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

async function ready(child: ChildProcess, ended: Promise<number | null>, readyMsMax: number): Promise<Ports> {
  const words: string[] = [];
  const remember = (line: string): void => {
    words.push(line);
    if (words.length > rememberedLines) words.shift();
  };
  const said = new Promise<Ports>((resolve) => {
    // Both pipes are read to the end of the server: a full pipe would stop it.
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on("line", (line) => {
        remember(line);
        const ports = portsOf(line);
        if (ports !== undefined) resolve(ports);
      });
    }
  });
  const timer = new AbortController();
  const late = new Promise<"late">((resolve) => {
    const timeout = setTimeout(() => resolve("late"), readyMsMax);
    timer.signal.addEventListener("abort", () => clearTimeout(timeout));
  });
  const first = await Promise.race([said, late, ended.then(() => "ended" as const)]);
  timer.abort();
  if (typeof first === "object") return first;
  child.kill("SIGKILL");
  const why = first === "late" ? `was not ready within ${readyMsMax} ms` : `ended with ${await ended}`;
  const last = words.length === 0 ? "it said nothing" : `its last words:\n${words.join("\n")}`;
  throw new SetlistError("UNAVAILABLE", `the server ${why}; ${last}`);
}

function portsOf(line: string): Ports | undefined {
  if (!line.includes('"msg":"ready"')) return undefined;
  try {
    const { httpPort, grpcPort } = JSON.parse(line) as Ports;
    return { httpPort, grpcPort };
  } catch {
    return undefined;
  }
}
