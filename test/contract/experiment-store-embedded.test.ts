import { openRegistry } from "../../src/registry/registry.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { experimentStoreContract } from "./experiment-store.ts";

experimentStoreContract("the embedded experiment store", async () => {
  const dataDir = await temporaryFolder();
  return { open: async (clock) => openRegistry({ dataDir, clock }) };
});
