import { SetlistError } from "../../domain/error.ts";

/**
 * Runs a command's work over a data directory. What the system or DuckDB refuses it comes out as one sentence; any
 * other error is a fault of ours and passes as it is.
 * @throws {SetlistError} UNAVAILABLE with the path, or the data directory where the system names none, and the reason.
 */
export async function withStorageSentences<T>(dataDir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const why = refusal(dataDir, error);
    if (why === undefined) throw error;
    throw new SetlistError("UNAVAILABLE", `${why}; what is done stays: mend that, then run it again`, {
      cause: error,
    });
  }
}

/** Undefined where neither the system nor DuckDB refused anything. */
function refusal(dataDir: string, error: unknown): string | undefined {
  if (!(error instanceof Error) || error instanceof SetlistError) return undefined;
  const { code, syscall, path } = error as NodeJS.ErrnoException;
  if (code !== undefined && syscall !== undefined) {
    return `${path ?? dataDir}: ${reasons[code] ?? `the system refuses ${syscall}`} (${code})`;
  }
  // DuckDB's errors are plain ones whose first words say their kind.
  return /^(IO|Out of Memory) Error: /.test(error.message) ? error.message.split("\n")[0] : undefined;
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: "this user may not do that there",
  EPERM: "this user may not do that there",
  ENOENT: "there is nothing",
  ENOTDIR: "a part of the path is no folder",
  EISDIR: "it is a folder, expected a file",
  EEXIST: "it is no folder",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
  EDQUOT: "this user's share of the disk is full",
  EIO: "the disk failed",
  ENAMETOOLONG: "the path is too long",
  ELOOP: "it is a link that leads to itself",
  EMFILE: "too many files are open",
};
