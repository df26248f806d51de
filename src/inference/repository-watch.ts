import { type FSWatcher, watch } from "node:fs";

/** Several events follow one another where a folder is copied: they are one change. */
const calmMs = 50;

export interface RepositoryWatch {
  /** Listens to these folders, and no longer to others. */
  follow(folders: readonly string[]): void;
  close(): void;
}

/**
 * Calls `onChange` soon after an entry of one of the followed folders came, went or was renamed, and every `pollMs` in
 * any case: network file systems tell nothing, and what happens deeper down is not listened to.
 */
export function watchRepository(pollMs: number, onChange: () => void): RepositoryWatch {
  const watchers = new Map<string, FSWatcher>();
  let soon: NodeJS.Timeout | undefined;
  const changed = (): void => {
    soon ??= setTimeout(() => {
      soon = undefined;
      onChange();
    }, calmMs).unref();
  };
  const poll = setInterval(onChange, pollMs).unref();

  function stop(folder: string): void {
    watchers.get(folder)?.close();
    watchers.delete(folder);
  }

  function start(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, changed);
      // The folder went, or the system listens to no more of them: the poll sees what changes.
      watcher.on("error", () => stop(folder));
      watchers.set(folder, watcher);
    } catch {
      // As above.
    }
  }

  return {
    follow(folders) {
      for (const folder of [...watchers.keys()]) if (!folders.includes(folder)) stop(folder);
      for (const folder of folders) if (!watchers.has(folder)) start(folder);
    },
    close() {
      clearInterval(poll);
      clearTimeout(soon);
      for (const folder of [...watchers.keys()]) stop(folder);
    },
  };
}
