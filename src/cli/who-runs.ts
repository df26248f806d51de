import { userInfo } from "node:os";

/** Who writes, for the history. A container often runs as a user without a name in the system's list. */
export function whoRuns(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.()}`;
  }
}
