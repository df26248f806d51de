/**
 * Loaded before a command (`node --import`): kills the process, without warning, right behind the step of
 * `KILLED_AT_STEP`, counted from 1, that changes something on the disk: a rename, a removal, a folder, a file of text.
 */
import promises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

let left = Number(process.env["KILLED_AT_STEP"]);

function counted<Call extends (...args: never[]) => Promise<unknown>>(call: Call): Call {
  return (async (...args: never[]) => {
    const result = await call(...args);
    left -= 1;
    if (left === 0) {
      process.kill(process.pid, "SIGKILL");
      // Nothing more happens in this process: a signal to oneself may be a moment late.
      await new Promise(() => undefined);
    }
    return result;
  }) as Call;
}

promises.rename = counted(promises.rename);
promises.rm = counted(promises.rm as never);
promises.mkdir = counted(promises.mkdir as never);
promises.writeFile = counted(promises.writeFile);
syncBuiltinESMExports();
