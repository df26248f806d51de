import { expect, test } from "vitest";
import { configuredExperiments } from "../../src/app/experiment-source.ts";
import { SetlistError } from "../../src/domain/error.ts";
import type { ExperimentStore } from "../../src/domain/experiment-store.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

test("a folder without experiments writes nothing: a fleet's server starts from an empty copy while its store is gone", async () => {
  const gone = {
    list: () => [],
    write: async () => {
      throw new SetlistError("UNAVAILABLE", "the experiment store cannot be asked now");
    },
  } as unknown as ExperimentStore;
  const source = configuredExperiments(await temporaryFolder(), () => undefined);
  expect(source.expected(gone)).toEqual([]);
  await expect(source.settle(gone, {})).resolves.toBeUndefined();
});
