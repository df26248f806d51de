import { expect, test } from "vitest";
import { missingPackages, readLockFile } from "../support/lock-file.ts";

test("the lock file names every optional package, so that npm ci takes it on every machine", () => {
  expect(missingPackages(readLockFile())).toEqual([]);
});

test("no package is locked to an address of its own", () => {
  const addresses = Object.values(readLockFile().packages).filter((one) => "resolved" in one);
  expect(addresses).toEqual([]);
});
