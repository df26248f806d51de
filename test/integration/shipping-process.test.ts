import { join } from "node:path";
import { expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { openTestLog } from "../support/outcomes-log.ts";
import { clusterOf, shipLog, shippersOf } from "../support/shipping.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

test("a server whose shipping process was killed a moment ago stops all the same", async () => {
  const dataDir = await temporaryFolder();
  const log = await openTestLog(join(dataDir, "log"));
  const shipped = shipLog(dataDir, log, clusterOf(`127.0.0.1:${await freePort()}`, "tests"));
  const [shipper] = shippersOf(process.pid) as [number];
  process.kill(shipper, "SIGKILL");
  await eventually(() => expect(shipped.warnings).toEqual([expect.stringContaining("ended with SIGKILL")]));
  await log.close();
  await shipped.close();
  expect(shippersOf(process.pid)).toEqual([]);
});
