/**
 * Loaded before a command (`--import`): kills its process at the `KILL_AT`th change that it makes to files, just before
 * it. Where there are fewer, nothing happens.
 */
import files from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

const last = Number(process.env["KILL_AT"]);
let step = 0;

function counted<Args extends unknown[], Result>(
  change: (...args: Args) => Promise<Result>,
): (...args: Args) => Promise<Result> {
  return (...args) => {
    step += 1;
    if (step === last) process.kill(process.pid, "SIGKILL");
    return change(...args);
  };
}

files.rename = counted(files.rename);
files.writeFile = counted(files.writeFile) as typeof files.writeFile;
files.rm = counted(files.rm);
files.open = counted(files.open);
syncBuiltinESMExports();
