import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { Admin, Producer } from "@platformatic/kafka";
import { expect, onTestFinished, test } from "vitest";
import { compactDataDirectory } from "../../src/app/data/compact-data.ts";
import { logIdentity } from "../../src/outcomes/outcomes.ts";
import { PositionFile } from "../../src/shipping/shipping.ts";
import { describeWithKafka } from "../support/describe-with.ts";
import { eventually } from "../support/eventually.ts";
import { startKafka } from "../support/kafka.ts";
import {
  counterfactualOf,
  fullImpressionOf,
  impressionOf,
  outcomeOf,
  shadowOf,
} from "../support/log-records.ts";
import { openTestLog, segmentsIn } from "../support/outcomes-log.ts";
import { columnOf, rowsOf } from "../support/parquet.ts";
import { startGroup } from "../support/process-group.ts";
import { setlist } from "../support/setlist-command.ts";
import { clusterOf, ingestAll, markedFiles, shipLog } from "../support/shipping.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const main = join(import.meta.dirname, "../../src/main.ts");
const killer = pathToFileURL(join(import.meta.dirname, "../support/killed-at-step.ts")).href;

/** How many rows of a table the one folder has and the other has not, both ways. */
async function differing(table: string, one: string, other: string): Promise<unknown> {
  const of = (folder: string): string =>
    `SELECT * FROM read_parquet([${markedFiles(folder, table).map((file) => `'${file}'`)}], hive_partitioning = false)`;
  return rowsOf(
    `SELECT (SELECT count(*) FROM (${of(one)})) AS rows,
      (SELECT count(*) FROM (${of(one)} EXCEPT ALL ${of(other)})) AS missing,
      (SELECT count(*) FROM (${of(other)} EXCEPT ALL ${of(one)})) AS foreign`,
  );
}

describeWithKafka("a log in Kafka", (broker) => {
  test("a server's log under load, from two processes, lands as the same Parquet as on the server", async () => {
    const dataDir = await temporaryFolder();
    const out = await temporaryFolder();
    const group = await startGroup(dataDir, {
      env: {
        SETLIST_SHIPPING_BROKERS: broker().address,
        SETLIST_SHIPPING_TOPIC_PREFIX: "load",
        SETLIST_LOG_SEGMENT_BYTES_MAX: "20000",
      },
    });
    const candidates = Array.from({ length: 20 }, (_, i) => ({ id: `t${i}` }));
    await Promise.all(
      Array.from({ length: 4 }, async (_, client) => {
        for (let i = 0; i < 50; i++) {
          const requestId = `r${client}-${i}`;
          const request = { requestId, surface: "home", user: { id: `u${i}` }, candidates };
          expect((await group.call("POST", "/v1/rank", request)).status).toBe(200);
          const outcomes = [{ outcomeId: `o${client}-${i}`, requestId, itemId: "t1", type: "click" }];
          expect((await group.call("POST", "/v1/outcomes", { outcomes })).status).toBe(200);
        }
      }),
    );
    // A server waits so long for its log's end to be sent, and no longer: it takes a shipper that has begun.
    const metrics = await eventually(async () => {
      const { text } = await group.call("GET", "/metrics");
      expect(text).toMatch(/^setlist_shipping_records_total [1-9]/m);
      return text;
    });
    expect(metrics).toMatch(/^setlist_shipping_starts_total 1$/m);
    expect(metrics).toMatch(/^setlist_shipping_lag_bytes \d+$/m);
    group.signal("SIGTERM");
    expect(await group.ended).toBe(0);

    // The server has sent the end of its log before it ended.
    const ingested = await setlist(
      "ingest",
      ...["--brokers", broker().address, "--topic-prefix", "load", "--out", out, "--once", "--json"],
    );
    expect(ingested).toMatchObject({ code: 0 });
    expect(JSON.parse(ingested.stdout)).toMatchObject({
      impressions: 200,
      outcomes: 200,
      refused: 0,
      behind: 0,
    });
    await compactDataDirectory({ dataDir });
    expect(await differing("impressions", dataDir, out)).toStrictEqual([
      { rows: "200", missing: "0", foreign: "0" },
    ]);
    expect(await differing("outcomes", dataDir, out)).toStrictEqual([
      { rows: "200", missing: "0", foreign: "0" },
    ]);
    await cp(join(dataDir, "experiments.sqlite"), join(out, "experiments.sqlite"));
    const [own, fleets] = await Promise.all(
      [dataDir, out].map(async (folder) => {
        const { stdout } = await setlist(
          "analyze",
          "--data-dir",
          folder,
          "--experiment",
          "home-kd",
          "--json",
        );
        return { ...(JSON.parse(stdout) as object), asOf: undefined };
      }),
    );
    expect(own).toHaveProperty("srm");
    expect(fleets).toStrictEqual(own);
  });

  test("everything that can be logged lands as it was, and what is no record is left out and counted", async () => {
    const dataDir = await temporaryFolder();
    const out = await temporaryFolder();
    const cluster = clusterOf(broker().address, "all");
    const log = await openTestLog(join(dataDir, "log"));
    await log.appendImpression(fullImpressionOf("r1", "ü1"));
    await log.appendImpression(impressionOf("r2", "u2", "control", [], { model: undefined }));
    await log.appendShadow(shadowOf("r1"));
    await log.appendShadow(counterfactualOf("r1"));
    await log.appendOutcomes([outcomeOf("o1", "r1", "t1"), outcomeOf("o2", "user:ü1", "")]);
    const shipped = shipLog(dataDir, log, cluster);
    await shipped.caughtUp(6);
    await log.close();
    await shipped.close();
    const producer = new Producer({ clientId: "stranger", bootstrapBrokers: [broker().address] });
    await producer.send({
      acks: -1,
      messages: [{ topic: "all.outcomes", key: Buffer.from("k"), value: Buffer.from("{}") }],
    });
    await producer.close();
    expect(await ingestAll(cluster, out)).toMatchObject({
      impressions: 2,
      outcomes: 2,
      comparisons: 2,
      refused: 1,
    });
    await compactDataDirectory({ dataDir });
    for (const [table, rows] of [
      ["impressions", "2"],
      ["outcomes", "2"],
      ["shadows", "1"],
      ["counterfactuals", "1"],
    ] as const) {
      expect(await differing(table, dataDir, out), table).toStrictEqual([
        { rows, missing: "0", foreign: "0" },
      ]);
    }
  });

  test("no more is sent in a time than the rate allows", async () => {
    const dataDir = await temporaryFolder();
    const log = await openTestLog(join(dataDir, "log"));
    const records = 4_000;
    await Promise.all(
      Array.from({ length: records }, (_, i) => log.appendImpression(impressionOf(`r${i}`, "u", "kd"))),
    );
    await log.close();
    const bytesPerSecondMax = 700_000;
    const began = performance.now();
    const shipped = shipLog(dataDir, log, { ...clusterOf(broker().address, "slow"), bytesPerSecondMax });
    await shipped.caughtUp(records);
    const seconds = (performance.now() - began) / 1_000;
    const bytes = shipped.status()?.bytes ?? 0;
    expect(bytes).toBeGreaterThan(3 * bytesPerSecondMax);
    // What is sent first, one second's worth and one request, is not held up.
    expect(seconds).toBeGreaterThan(bytes / bytesPerSecondMax - 2.2);
    expect(shipped.warnings).toStrictEqual([]);
  });

  test("an ingest that is killed at any of its steps goes on, and each record is there once", async () => {
    const dataDir = await temporaryFolder();
    const cluster = clusterOf(broker().address, "steps");
    const log = await openTestLog(join(dataDir, "log"));
    const names = Array.from({ length: 300 }, (_, i) => `o${i}`);
    await log.appendImpression(impressionOf("r1", "u", "kd"));
    await log.appendOutcomes(
      names.map((name, i) => ({
        ...outcomeOf(name, "r1", "t1"),
        occurredAt: 86_400_000 * (20_000 + (i % 2)),
      })),
    );
    const shipped = shipLog(dataDir, log, cluster);
    await shipped.caughtUp(names.length + 1);
    await log.close();
    await shipped.close();
    const out = await temporaryFolder();
    const ingestKilledAt = async (step: number): Promise<NodeJS.Signals | null> => {
      const args = ["--brokers", broker().address, "--topic-prefix", "steps", "--out", out, "--once"];
      const child = spawn(process.execPath, ["--import", killer, main, "ingest", ...args], {
        env: { ...process.env, KILLED_AT_STEP: String(step) },
        stdio: "ignore",
      });
      const [, signal] = await once(child, "exit");
      return signal as NodeJS.Signals | null;
    };
    // Behind each change to a file, from the folder's own making to the marker, until one run gets through.
    let step = 1;
    while ((await ingestKilledAt(step)) === "SIGKILL") {
      step += 1;
      const landed = await columnOf("outcome", markedFiles(out, "outcomes"));
      expect(new Set(landed).size, `killed at step ${step}`).toBe(landed.length);
    }
    expect(step).toBeGreaterThanOrEqual(8);
    expect(await ingestAll(cluster, out)).toMatchObject({ outcomes: 0, behind: 0 });
    expect((await columnOf("outcome", markedFiles(out, "outcomes"))).sort()).toStrictEqual([...names].sort());
    expect(await columnOf("request", markedFiles(out, "impressions"))).toStrictEqual(["r1"]);
  });

  test("topics that no server has made yet are nothing to land", async () => {
    const cluster = clusterOf(broker().address, "nobody-yet");
    expect(await ingestAll(cluster, await temporaryFolder())).toMatchObject({ batches: 0, outcomes: 0 });
  });

  test("two do not ingest into one folder, and a folder of another cluster's or of a server is refused", async () => {
    const dataDir = await temporaryFolder();
    const out = await temporaryFolder();
    const cluster = clusterOf(broker().address, "pair");
    const log = await openTestLog(join(dataDir, "log"));
    await log.appendOutcomes([outcomeOf("o1", "r1", "t1")]);
    const shipped = shipLog(dataDir, log, cluster);
    await shipped.caughtUp(1);
    await log.close();
    await shipped.close();
    const both = await Promise.allSettled([ingestAll(cluster, out), ingestAll(cluster, out)]);
    expect(both.map(({ status }) => status).sort()).toStrictEqual(["fulfilled", "rejected"]);
    expect(await columnOf("outcome", markedFiles(out, "outcomes"))).toStrictEqual(["o1"]);
    await compactDataDirectory({ dataDir });
    const own = await temporaryFolder();
    await cp(dataDir, own, { recursive: true });
    await expect(ingestAll(cluster, own)).rejects.toThrow("is a server's data directory, it holds a log");
  });

  test("what a topic lost before it was landed is counted, and a topic that was made anew is not taken for the old one", async () => {
    const dataDir = await temporaryFolder();
    const out = await temporaryFolder();
    const cluster = clusterOf(broker().address, "gone");
    const log = await openTestLog(join(dataDir, "log"));
    await log.appendOutcomes(Array.from({ length: 20 }, (_, i) => outcomeOf(`o${i}`, "r1", "t1")));
    const first = shipLog(dataDir, log, cluster);
    await first.caughtUp(20);
    const admin = new Admin({ clientId: "tests", bootstrapBrokers: [broker().address] });
    onTestFinished(() => admin.close());
    const topics = ["gone.outcomes"];
    const partitions = [0, 1, 2].map((partition) => ({ partition, offset: 5n }));
    await Promise.allSettled(
      partitions.map((partition) =>
        admin.deleteRecords({ topics: [{ name: "gone.outcomes", partitions: [partition] }] }),
      ),
    );
    expect(await ingestAll(cluster, out)).toMatchObject({ outcomes: 15, lost: 5, behind: 0 });
    await admin.deleteTopics({ topics });
    await admin.createTopics({ topics });
    await log.appendOutcomes([outcomeOf("later", "r1", "t1")]);
    await first.caughtUp(21);
    await log.close();
    await first.close();
    await expect(ingestAll(cluster, out)).rejects.toThrow(/topic gone\.outcomes was deleted and made anew/);
    expect(await ingestAll(cluster, await temporaryFolder())).toMatchObject({ outcomes: 1, lost: 0 });
  });
});

describeWithKafka("a cluster that asks for passwords", () => {
  test("takes the log with the right one, and the warning says what is wrong with another", async () => {
    const guarded = await startKafka({ users: { setlist: "right" } });
    onTestFinished(() => guarded.remove());
    const dataDir = await temporaryFolder();
    const out = await temporaryFolder();
    const log = await openTestLog(join(dataDir, "log"));
    await log.appendOutcomes([outcomeOf("o1", "r1", "t1")]);
    const cluster = {
      ...clusterOf(guarded.address, "guarded"),
      securityProtocol: "SASL_PLAINTEXT" as const,
      saslUsername: "setlist",
    };
    const wrong = shipLog(dataDir, log, { ...cluster, saslPassword: "wrong" });
    while (wrong.warnings.length === 0) await sleep(20);
    expect(wrong.warnings.join()).toMatch(/authenticat/i);
    expect(wrong.warnings.join()).not.toContain("wrong");
    await wrong.close();
    const right = shipLog(dataDir, log, { ...cluster, saslPassword: "right" });
    await right.caughtUp(1);
    await log.close();
    await right.close();
    expect(await ingestAll({ ...cluster, saslPassword: "right" }, out)).toMatchObject({ outcomes: 1 });
  });
});

test("no segment is deleted that Kafka does not have, whatever retention says", async () => {
  const dataDir = await temporaryFolder();
  const directory = join(dataDir, "log");
  for (const name of ["1", "2", "3"]) {
    const log = await openTestLog(directory);
    await log.appendOutcomes([outcomeOf(`o${name}`, "r", "t")]);
    await log.close();
  }
  const compact = (brokers: readonly string[]) =>
    compactDataDirectory({
      dataDir,
      retention: { log: { retentionBytesMax: 1, dedupeWindowMs: 0 }, warehouse: {}, shipping: { brokers } },
    });
  const position = await PositionFile.open(join(dataDir, "shipping"), await logIdentity(directory));
  const shipping = ["kafka:9092"];
  await compact(shipping);
  expect(await segmentsIn(directory)).toHaveLength(3);
  await position.write({ segment: 2, salt: undefined, offset: 32 });
  await compact(shipping);
  expect(await segmentsIn(directory)).toStrictEqual(["0000000002.seg", "0000000003.seg"]);
  const other = await PositionFile.open(join(dataDir, "shipping"), "11111111-1111-1111-1111-111111111111");
  await other.write({ segment: 9, salt: undefined, offset: 32 });
  await compact(shipping);
  expect(await segmentsIn(directory), "another log's position").toHaveLength(2);
  await compact([]);
  expect(await segmentsIn(directory)).toStrictEqual(["0000000003.seg"]);
});

test("ingest says what is missing, and which broker does not answer", async () => {
  const out = await temporaryFolder();
  expect(await setlist("ingest", "--out", out, "--once")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("name them with --brokers"),
  });
  expect(await setlist("ingest", "--once", "--brokers", "kafka:9092")).toMatchObject({ code: 2 });
  const file = join(out, "file");
  await writeFile(file, "");
  expect(await setlist("ingest", "--out", file, "--once", "--brokers", "kafka:9092")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`${file} is no folder: name another one with --out`),
  });
  expect(await setlist("ingest", "--out", out, "--brokers", "kafka")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("host:port"),
  });
});
