/** `setlist serve --processes N` as it runs for users: real processes, real ports. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readlinkSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";

const main = join(import.meta.dirname, "../../src/main.ts");

export interface GroupLine {
  readonly level: string;
  readonly msg: string;
  readonly process?: number;
  readonly pid?: number;
  readonly afterMs?: number;
}

export interface Answer {
  readonly status: number;
  /** Whether the server will close the connection. */
  readonly closing: boolean;
  readonly text: string;
}

export interface ProcessGroup {
  /** Of the process that supervises, and of its process group. */
  readonly pid: number;
  readonly httpPort: number;
  readonly grpcPort: number;
  /** Everything said so far. */
  readonly lines: readonly GroupLine[];
  readonly ended: Promise<number | null>;
  /** The number and pid of every process that answers or stands by, oldest first. */
  answering(): { number: number; pid: number }[];
  /** Resolves once so many lines say that. */
  says(message: string, times?: number): Promise<void>;
  /** On a connection of its own, so that the kernel may give it to any process. */
  call(method: string, path: string, body?: object): Promise<Answer>;
  signal(signal: NodeJS.Signals): void;
}

/** Refuses nobody because the machine is busy with other tests. */
const patient = {
  SETLIST_ADMISSION_ANSWER_MS_TARGET: "60000",
  SETLIST_INFERENCE_QUEUE_WAIT_MAX_MS: "60000",
  SETLIST_INFERENCE_STANDING_QUEUE_WAIT_MAX_MS: "60000",
};

/** Killed when the test is over, should it still run; its children then end by themselves. */
export async function startGroup(
  dataDir: string,
  { flags = [], env = {} }: { flags?: readonly string[]; env?: Readonly<Record<string, string>> } = {},
): Promise<ProcessGroup> {
  const ports = flags.includes("--http-port") ? [] : ["--http-port", "0", "--grpc-port", "0"];
  const child = spawn(
    process.execPath,
    [main, "serve", "--processes", "2", "--data-dir", dataDir, ...ports, ...flags],
    {
      stdio: ["ignore", "pipe", "inherit"],
      // A group of its own, which can be signalled as a terminal does.
      detached: true,
      env: { ...process.env, ...patient, SETLIST_DRAIN_DELAY_MS: "200", ...env },
    },
  );
  onTestFinished(() => void child.kill("SIGKILL"));
  const ended = once(child, "exit").then(([code]) => code as number | null);
  const lines: GroupLine[] = [];
  const listeners = new Set<() => void>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(JSON.parse(line) as GroupLine);
    for (const listener of listeners) listener();
  });
  const says = (message: string, times = 1): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (lines.filter(({ msg }) => msg === message).length < times) return;
        listeners.delete(look);
        resolve();
      };
      listeners.add(look);
      void ended.then(() => reject(new Error(`the server ended: ${lines.map(({ msg }) => msg).join("; ")}`)));
      look();
    });
  await says("ready");
  const ready = lines.find(({ msg }) => msg === "ready") as unknown as {
    httpPort: number;
    grpcPort: number;
  };
  return {
    ...ready,
    pid: child.pid as number,
    lines,
    ended,
    says,
    answering() {
      const gone = lines
        .filter(({ msg }) => /^process (ended|could not)/.test(msg))
        .map((line) => line.process);
      return lines
        .filter(({ msg, process }) => msg === "process loaded" && !gone.includes(process))
        .map(({ process, pid }) => ({ number: process as number, pid: pid as number }));
    },
    call: (method, path, body) => callOnce(ready.httpPort, method, path, body),
    signal: (signal) => void child.kill(signal),
  };
}

function callOnce(port: number, method: string, path: string, body: object | undefined): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const sent = request(
      {
        host: "127.0.0.1",
        port,
        method,
        path,
        agent: false,
        ...(text !== undefined && { headers: { "content-type": "application/json" } }),
      },
      (response) => {
        let received = "";
        response.on("data", (chunk) => {
          received += chunk;
        });
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            closing: response.headers.connection === "close",
            text: received,
          }),
        );
      },
    );
    sent.on("error", reject);
    sent.end(text);
  });
}

/** Sockets that a process of this machine has open. */
export function socketsOf(pid: number): number {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).filter((name) => {
    try {
      return readlinkSync(join(folder, name)).startsWith("socket:");
    } catch {
      return false;
    }
  }).length;
}
