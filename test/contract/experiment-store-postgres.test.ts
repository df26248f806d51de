import { openFleetStore } from "../../src/registry/open-fleet-store.ts";
import { describeWithPostgres } from "../support/describe-with.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { experimentStoreContract } from "./experiment-store.ts";

describeWithPostgres("with PostgreSQL", (server) => {
  experimentStoreContract("a fleet's experiment store", async () => {
    const url = await server().newDatabase();
    const random = { next: Math.random };
    return {
      open: async (clock) =>
        openFleetStore({ url, dataDir: await temporaryFolder(), clock, random, onWarning: () => undefined }),
    };
  });
});
