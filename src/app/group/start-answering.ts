import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";
import { SetlistError } from "../../domain/error.ts";
import { Calls, EndedError } from "../../processes/processes.ts";
import type { Ports } from "../answering.ts";
import {
  type AnsweringCalls,
  logDescriptor,
  type StartOrder,
  type SupervisingCalls,
} from "./process-calls.ts";

/** A process that answers, as its supervisor has it. */
export interface AnsweringProcess {
  /** Undefined where the system could not make it. */
  readonly pid: number | undefined;
  readonly calls: Calls<AnsweringCalls>;
  /** To its log. */
  readonly log: Duplex;
  /** Resolves once it has started. @throws what its start threw; UNAVAILABLE with how it ended where it did before. */
  readonly started: Promise<void>;
  /** @throws as `started`. */
  serve(ports: Ports): Promise<void>;
  /** Resolves with how it ended: `by SIGSEGV`, `with exit code 1`. */
  readonly ended: Promise<string>;
  /** It ends by itself then, in order where it is drained. */
  disconnect(): void;
  kill(): void;
}

const script = fileURLToPath(new URL("./answering-process.ts", import.meta.url));

/** Starts a process that answers; its lines go where ours go. @throws {Error} where the system cannot make one. */
export function startAnswering(order: StartOrder, mine: SupervisingCalls): AnsweringProcess {
  const child = fork(script, {
    // At `logDescriptor`, the stream to the log: a channel of its own, since messages would be copied twice more.
    stdio: ["ignore", "inherit", "inherit", "ipc", "pipe"],
    serialization: "advanced",
  });
  const calls = new Calls<AnsweringCalls>(child, { ...mine });
  // What it has to say of a child that is gone `ended` says already.
  child.on("error", () => undefined);
  const ended = endOf(child);
  const beforeItsEnd = (asked: Promise<void>, done: string): Promise<void> => {
    const end = ended.then((how) => {
      throw new SetlistError("UNAVAILABLE", `process ${order.number} ended ${how} before it ${done}`);
    });
    // Its channel ends first, and says less.
    const told = asked.catch((error: unknown) => {
      if (error instanceof EndedError) return end;
      throw error;
    });
    return Promise.race([told, end]);
  };
  const started = beforeItsEnd(calls.ask("start", order), "had started");
  started.catch(() => undefined);
  return {
    pid: child.pid,
    calls,
    log: child.stdio[logDescriptor] as Duplex,
    started,
    serve: (ports) => beforeItsEnd(calls.ask("serve", ports), "served"),
    ended,
    disconnect() {
      if (child.connected) child.disconnect();
    },
    kill: () => void child.kill("SIGKILL"),
  };
}

async function endOf(child: ChildProcess): Promise<string> {
  try {
    const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
    return signal === null ? `with exit code ${code}` : `by ${signal}`;
  } catch (error) {
    // A process that never was has no end: the system has no memory, numbers or descriptors left for it.
    return `before it began: ${(error as Error).message}`;
  }
}
