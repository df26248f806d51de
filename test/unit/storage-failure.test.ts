import { readdir } from "node:fs/promises";
import { expect, test } from "vitest";
import { withStorageSentences } from "../../src/app/data/storage-failure.ts";
import { invalidArgument } from "../../src/domain/error.ts";

function failing(error: unknown): Promise<unknown> {
  return withStorageSentences("data", () => Promise.reject(error)).catch((caught: unknown) => caught);
}

function systemError(code: string, path?: string): Error {
  return Object.assign(new Error(`${code}: as Node says it`), { code, syscall: "write", path });
}

test("what the system refuses is told with its path, or with the data directory where it names none", async () => {
  const found = await readdir("/dev/null").catch((error: unknown) => error);
  for (const [error, message] of [
    [found, "/dev/null: a part of the path is no folder (ENOTDIR)"],
    [systemError("EACCES", "data/log"), "data/log: this user may not do that there (EACCES)"],
    [systemError("ENOSPC"), "data: the disk is full (ENOSPC)"],
    [systemError("EODD"), "data: the system refuses write (EODD)"],
    [new Error("IO Error: Could not write file\nmore"), "IO Error: Could not write file"],
  ] as const)
    expect(await failing(error)).toMatchObject({
      name: "SetlistError",
      code: "UNAVAILABLE",
      message: `${message}; what is done stays: mend that, then run it again`,
    });
});

test("a fault of ours, and what is a sentence already, pass as they are", async () => {
  for (const error of [new TypeError("x is undefined"), invalidArgument("said already"), "no error at all"])
    expect(await failing(error)).toBe(error);
});
