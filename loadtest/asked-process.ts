import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

// As the server and whatever it starts: a contestant whose ONNX Runtime reports to its maker is not the same contestant.
process.env["ORT_DISABLE_TELEMETRY"] = "1";

/** A script of this folder in a process of its own that answers one message with one message. */
export interface AskedProcess {
  ask<Answer>(question: object): Promise<Answer>;
  close(): Promise<void>;
}

/** A server in a process of its own; it ends when we do. */
export interface PortProcess {
  readonly httpPort: number;
  close(): Promise<void>;
}

export async function startAskedProcess(script: string): Promise<AskedProcess> {
  const child = fork(join(import.meta.dirname, script), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  await messageOf(child, script);
  return {
    async ask<Answer>(question: object) {
      child.send(question);
      return (await messageOf(child, script)) as Answer;
    },
    close: () => ended(child),
  };
}

/** A server script that says on its output, as Setlist does, which port it got. */
export function startPortProcess(script: string, args: readonly string[] = []): Promise<PortProcess> {
  const stdio = ["ignore", "pipe", "inherit", "ipc"] as const;
  return portProcess(fork(join(import.meta.dirname, script), args, { stdio: [...stdio] }), script);
}

/** The same for any command; its input ends when we do, which is how it knows. */
export function startPortCommand(command: string, args: readonly string[]): Promise<PortProcess> {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  return portProcess(child, [command, ...args].join(" "));
}

async function portProcess(child: ChildProcess, name: string): Promise<PortProcess> {
  const [line] = (await Promise.race([
    once(child.stdout as NodeJS.ReadableStream, "data"),
    once(child, "exit").then(([code]) => {
      throw new Error(`${name} ended with ${code} before it was ready`);
    }),
  ])) as [Buffer];
  const { httpPort } = JSON.parse(line.toString()) as { httpPort: number };
  return { httpPort, close: () => ended(child) };
}

async function messageOf(child: ChildProcess, script: string): Promise<unknown> {
  const ending = new AbortController();
  const exited = once(child, "exit", { signal: ending.signal }).then(([code]) => {
    throw new Error(`${script} ended with ${code}`);
  });
  exited.catch(() => {});
  try {
    const [message] = await Promise.race([once(child, "message", { signal: ending.signal }), exited]);
    return message;
  } finally {
    ending.abort();
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  await exited;
}
