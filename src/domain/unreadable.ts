import { messageOf } from "./error.ts";

/**
 * Why a file or a folder cannot be read, as a sentence goes on after its path: the system's own message has code, call and
 * the path once more.
 */
export function unreadableReason(error: unknown, what: "file" | "folder" = "file"): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) return messageOf(error);
  return code === "ENOENT" ? `there is no such ${what}` : (reasons[code] ?? `the system says ${code}`);
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: "this user may not read it",
  ELOOP: "its links lead in a circle",
  ENOTDIR: "a part of its path is no folder",
  ERR_INVALID_ARG_VALUE: "its name holds a zero byte",
  EISDIR: "it is a folder, expected a file",
};
