import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { SpawnWorker, WorkerEvents, WorkerLink } from "./worker-link.ts";
import type { Reply } from "./worker-messages.ts";

const entry = fileURLToPath(new URL("./worker-process-entry.ts", import.meta.url));

/** A worker in a process of its own: everything is copied over, and a native crash takes no more than what it was doing. */
export const spawnWorkerProcess: SpawnWorker = (events) => linkToProcess(forkWorker(entry), events);

/** What it writes goes where ours goes. Flags of this Node, a debugger's port for one, are not for it. */
export function forkWorker(file: string): ChildProcess {
  return fork(file, {
    serialization: "advanced",
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    execArgv: [],
  });
}

export function linkToProcess(child: ChildProcess, events: WorkerEvents): WorkerLink {
  child.on("message", (reply) => events.reply(reply as Reply));
  let thrown: Error | undefined;
  child.on("error", (error) => {
    thrown = error;
  });
  // Not at "exit": replies may still stand in the channel then.
  child.on("close", (code, signal) => {
    events.ended(signal ?? (child.pid === undefined ? thrown?.message : undefined) ?? `exit code ${code}`);
  });
  return {
    // A process for which there was no file descriptor left has no channel at all, and no `send`.
    post(order) {
      // With a callback nobody is told that the worker is gone: "close" says so.
      if (child.connected) child.send(order, () => undefined);
    },
    kill: () => void child.kill("SIGKILL"),
  };
}
