import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { type ServerProcess, startServerProcess } from "../../src/app/server-process.ts";
import { until } from "../support/eventually.ts";
import { addTeacher, labelHouse, labelsIn, labelWorld } from "../support/label-house.ts";
import { impressionOf } from "../support/log-records.ts";
import { openTestLog } from "../support/outcomes-log.ts";
import { rowsOf } from "../support/parquet.ts";
import { setlist, startSetlist } from "../support/setlist-command.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { repositoryWith } from "../support/tiny-models.ts";

interface RankedItem {
  readonly id: string;
  readonly tasks: { readonly click: number; readonly like: number };
}

async function rank({ httpPort }: ServerProcess, requestId: string): Promise<readonly RankedItem[]> {
  const response = await fetch(`http://127.0.0.1:${httpPort}/v1/rank`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      requestId,
      surface: "home",
      user: { id: "u1", features: { taste: [0.8, 0] } },
      context: { features: { device: "android" } },
      candidates: [
        { id: "t1" },
        { id: "t5", features: { popularity: 0.25, genre: "jazz" } },
        { id: "nobody-knows-this-track" },
      ],
      timeoutMs: 10_000,
      explain: true,
    }),
  });
  expect(response.status).toBe(200);
  return ((await response.json()) as { items: RankedItem[] }).items;
}

/**
 * The same graph serves as student and labels as teacher, so the labels are what the server answered: with the inline
 * features that it saw, and beside the store's of the others.
 */
test("what a server ranked is labelled with the features that it saw, and beside it only what is sealed", async () => {
  const { repository } = await repositoryWith("linear");
  await addTeacher(repository, "oracle");
  const [dataDir, settings, world] = [await temporaryFolder(), await temporaryFolder(), await labelWorld()];
  await mkdir(join(settings, "experiments"));
  const config = join(settings, "setlist.yaml");
  const surfaces = { home: { defaultModel: { name: "linear" }, timeoutMs: 10_000 } };
  // JSON is YAML.
  await writeFile(
    config,
    JSON.stringify({ models: repository, world, experiments: "experiments", surfaces, drainDelayMs: 0 }),
  );
  const label = ["label", "--data-dir", dataDir, "--models", repository, "--world", world, "--json"];
  const server = { dataDir, flags: ["--config", config] };

  const first = await startServerProcess(server);
  const ranked = await rank(first, "first");
  expect(await first.stop()).toBe(0);

  const second = await startServerProcess(server);
  await rank(second, "second");
  const beside = await setlist(...label);
  expect(beside).toMatchObject({ code: 0 });
  expect(JSON.parse(beside.stdout)).toMatchObject({ impressions: 1, labelled: 3, segments: 1, coverage: 1 });
  expect(JSON.parse(beside.stdout).segmentsOpen).toBeGreaterThan(0);
  const rows = await rowsOf(`SELECT * FROM ${labelsIn(dataDir, "oracle")} ORDER BY item`);
  const answered = ranked.map(({ id, tasks }) => ({
    request: "first",
    item: id,
    click: Math.fround(tasks.click),
    like: Math.fround(tasks.like),
  }));
  expect(rows).toStrictEqual(answered.sort((a, b) => (a.item < b.item ? -1 : 1)));
  // The formula of the graph, so that the server and the labeller are not wrong together.
  const click = new Map(rows.map((row) => [row["item"], row["click"]]));
  expect(click.get("t1")).toBeCloseTo(0.5 * 0.1 + 0.25 * 0.8, 6);
  expect(click.get("t5")).toBeCloseTo(0.5 * 0.25 + 0.25 * 0.8, 6);

  // The server that held the feature store all the while goes on as if nothing had been.
  await rank(second, "third");
  expect(await second.stop()).toBe(0);
  const after = await setlist(...label);
  expect(JSON.parse(after.stdout)).toMatchObject({ labelled: 6, alreadyLabelled: 3, segmentsOpen: 0 });
});

test("--follow labels what is sealed later, tells Prometheus, and ends with 0 at SIGTERM", async () => {
  const { dataDir, world, repository, labels } = await labelHouse(1);
  const { child, said, ended } = startSetlist(
    ...["label", "--data-dir", dataDir, "--models", repository, "--world", world, "--json"],
    ...["--follow", "--poll-ms", "50", "--metrics-port", "0"],
  );
  const url = await until(() => /metrics at (\S+)/.exec(said())?.[1]);
  const metric = async (name: string): Promise<number> => {
    const text = await (await fetch(url)).text();
    return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
  };
  await until(async () => (await metric("setlist_labels_total")) === 2);

  const log = await openTestLog(join(dataDir, "log"));
  await log.appendImpression(impressionOf("later", "u1", "kd", ["t1", "t2", "t3"]));
  await log.appendImpression(impressionOf("r0", "u1", "kd", ["t1"]));
  await log.close();
  await until(async () => (await metric("setlist_labels_total")) === 5);
  // Some passes over what is done change no counter.
  await sleep(300);
  expect(await metric("setlist_labels_total")).toBe(5);
  expect(await metric("setlist_labels_already_total")).toBe(1);
  expect(await metric("setlist_label_coverage_ratio")).toBe(1);
  expect(await metric("setlist_label_segments_behind")).toBe(0);
  expect(await metric("setlist_label_delay_seconds")).toBeGreaterThanOrEqual(0);

  child.kill("SIGTERM");
  const { code, stdout } = await ended;
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ impressions: 3, labelled: 5, alreadyLabelled: 1, segments: 2 });
  expect(await rowsOf(`SELECT count(*)::INTEGER AS n FROM ${labels}`)).toStrictEqual([{ n: 5 }]);
});

test("--follow over a log of which nothing is sealed tells no delay, and at its end what JSON asks for", async () => {
  const { dataDir, world, repository } = await labelHouse(0);
  const { child, said, ended } = startSetlist(
    ...["label", "--data-dir", dataDir, "--models", repository, "--world", world, "--json"],
    ...["--follow", "--poll-ms", "50", "--metrics-port", "0"],
  );
  const url = await until(() => /metrics at (\S+)/.exec(said())?.[1]);
  const metrics = await until(async () => {
    const text = await (await fetch(url)).text();
    return text.includes("setlist_label_coverage_ratio 1\n") && text;
  });
  expect(metrics).not.toMatch(/^setlist_label_delay_seconds /m);
  child.kill("SIGINT");
  const { code, stdout } = await ended;
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ impressions: 0, labelled: 0, delayMs: null, segments: 0 });
});
