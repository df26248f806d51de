import { join } from "node:path";
import { onTestFinished } from "vitest";
import { openFeatureStore } from "../../src/features/features.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { writeWorld } from "../support/tiny-world.ts";
import { featureStoreContract } from "./feature-store.ts";

featureStoreContract("the embedded feature store", async (world, cacheRowsMax) => {
  const folder = await temporaryFolder();
  const store = await openFeatureStore({
    directory: join(folder, "features"),
    world: await writeWorld(join(folder, "world"), world),
    cacheRowsMax,
  });
  onTestFinished(() => store.close());
  return store;
});
