import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** A script of this folder in a process of its own that answers one message with one message. */
export interface AskedProcess {
  ask<Answer>(question: object): Promise<Answer>;
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
export async function startPortProcess(
  script: string,
): Promise<{ httpPort: number; close(): Promise<void> }> {
  const child = fork(join(import.meta.dirname, script), { stdio: ["ignore", "pipe", "inherit", "ipc"] });
  const [line] = (await Promise.race([
    once(child.stdout as NodeJS.ReadableStream, "data"),
    once(child, "exit").then(([code]) => {
      throw new Error(`${script} ended with ${code} before it was ready`);
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
