import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/app/system-clock.ts";
import type { ExperimentStore } from "../../src/domain/experiment-store.ts";
import { emptyState, type StoreChange } from "../../src/domain/store-state.ts";
import { openFleetStore, readFleetState } from "../../src/registry/open-fleet-store.ts";
import { breakableProxy } from "../support/breakable-proxy.ts";
import { describeWithPostgres } from "../support/describe-with.ts";
import { experimentWith } from "../support/experiments.ts";
import { postgresPassword } from "../support/postgres.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const creating = (id: string): StoreChange => ({
  experiments: [{ document: experimentWith({ id, layer: id }), what: "created" }],
});
const idsOf = (store: ExperimentStore): string[] => store.list().map(({ id }) => id);

interface Opened {
  readonly store: ExperimentStore;
  /** What it warned of, with everything that a log line would have. */
  readonly warnings: string[];
  close(): Promise<void>;
}

async function opened(url: string, dataDir: string, pollMs?: number): Promise<Opened> {
  const warnings: string[] = [];
  const store = await openFleetStore({
    url,
    dataDir,
    clock: systemClock,
    random: { next: Math.random },
    onWarning: (message, fields) => warnings.push(`${message} ${JSON.stringify(fields)}`),
    ...(pollMs !== undefined && { pollMs }),
  });
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= store.close();
    return closing;
  };
  onTestFinished(close);
  return { store, warnings, close };
}

/** One store over a connection that can be broken, and one `elsewhere` over a whole one. */
async function openedBehindProxy(url: string) {
  const proxy = await breakableProxy(Number(new URL(url).port));
  onTestFinished(() => proxy.close());
  const near = new URL(url);
  near.port = String(proxy.port);
  const { store } = await opened(near.href, await temporaryFolder());
  return { proxy, store, elsewhere: await opened(url, await temporaryFolder()) };
}

async function query(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

/** An experiment as the first revision of all, without a notification. */
const unheard = `INSERT INTO setlist_revisions VALUES
  (1, 'experiment', 'a', 1, 'ada', 0, 'created', '${JSON.stringify(experimentWith({ id: "a", layer: "a" }))}', 'h')`;

const isStale = (store: ExperimentStore) => expect.poll(() => store.stale()?.reason, { interval: 5 });

describeWithPostgres("a fleet's experiment store", (server) => {
  test("keeps what it last said, marked stale, while PostgreSQL is gone, and catches up once it is back", async () => {
    const url = await server().newDatabase();
    const one = await opened(url, await temporaryFolder());
    const other = await opened(url, await temporaryFolder());
    await one.store.write("ada", () => creating("a"));
    await expect.poll(() => idsOf(other.store)).toEqual(["a"]);

    const before = Date.now();
    await server().stop("immediate");
    await isStale(one.store).toBeDefined();
    expect(one.store.stale()?.since).toBeLessThanOrEqual(Date.now());
    expect(one.store.stale()?.since).toBeGreaterThan(before - 10_000);
    expect(idsOf(one.store)).toEqual(["a"]);
    await expect(one.store.write("ada", () => creating("b"))).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringContaining("nothing was changed"),
    });
    await expect(one.store.history("a")).rejects.toMatchObject({ code: "UNAVAILABLE" });

    await server().start();
    await expect.poll(() => one.store.stale()).toBeUndefined();
    await one.store.write("ada", () => creating("b"));
    await expect.poll(() => idsOf(other.store)).toEqual(["a", "b"]);
    expect(one.warnings).toHaveLength(2);
    expect(one.warnings.join("\n")).not.toContain(postgresPassword);
  });

  test("hears of a change by notification, however seldom it looks", async () => {
    const url = await server().newDatabase();
    const { store } = await opened(url, await temporaryFolder(), 600_000);
    const elsewhere = await opened(url, await temporaryFolder());
    await elsewhere.store.write("ada", () => creating("a"));
    await expect.poll(() => idsOf(store)).toEqual(["a"]);
    await elsewhere.store.write("ada", () => creating("b"));
    await expect.poll(() => idsOf(store)).toEqual(["a", "b"]);
  });

  test("finds what no notification told of", async () => {
    const url = await server().newDatabase();
    const { store } = await opened(url, await temporaryFolder());
    await query(url, unheard);
    await expect.poll(() => idsOf(store), { interval: 5 }).toEqual(["a"]);
  });

  test("notices a connection that died without a word", async () => {
    const { proxy, store, elsewhere } = await openedBehindProxy(await server().newDatabase());
    proxy.stall();
    await isStale(store).toBe("it does not answer in time");
    await elsewhere.store.write("ada", () => creating("a"));
    expect(idsOf(store)).toEqual([]);
    proxy.heal();
    await expect.poll(() => idsOf(store)).toEqual(["a"]);
    expect(store.stale()).toBeUndefined();
  });

  test("does not go back to its own write where it has seen a later one by then", async () => {
    const { proxy, store, elsewhere } = await openedBehindProxy(await server().newDatabase());
    const held = proxy.holdAnswersTo("COMMIT");
    const writing = store.write("ada", () => creating("a"));
    await held.holds;
    await expect.poll(() => idsOf(elsewhere.store)).toEqual(["a"]);
    await elsewhere.store.write("grace", () => creating("b"));
    await expect.poll(() => idsOf(store)).toEqual(["a", "b"]);
    const states: string[][] = [];
    store.onChange(({ experiments }) => states.push(experiments.map(({ id }) => id)));
    held.release();
    expect((await writing).experiments.map(({ id }) => id)).toEqual(["a", "b"]);
    expect(states).toEqual([]);
  });

  test("opens from the data directory's copy while PostgreSQL is gone, and follows it once it is back", async () => {
    const url = await server().newDatabase();
    const dataDir = await temporaryFolder();
    const first = await opened(url, dataDir);
    await first.store.write("ada", () => creating("a"));
    await first.close();
    await server().stop("fast");
    const { store, warnings } = await opened(url, dataDir);
    expect(idsOf(store)).toEqual(["a"]);
    expect(store.stale()?.reason).toBe("nobody listens there (ECONNREFUSED)");
    expect(warnings).toHaveLength(1);
    await server().start();
    await expect.poll(() => store.stale()).toBeUndefined();
    await store.write("ada", () => creating("b"));
    expect(idsOf(store)).toEqual(["a", "b"]);
  });

  test("does not open without PostgreSQL where the copy is none of this database, or damaged", async () => {
    const [url, otherUrl] = [await server().newDatabase(), await server().newDatabase()];
    const dataDir = await temporaryFolder();
    const first = await opened(url, dataDir);
    await first.store.write("ada", () => creating("a"));
    await first.close();
    await server().stop("fast");
    const refused = {
      code: "UNAVAILABLE",
      message: expect.stringMatching(
        /cannot be reached: PostgreSQL at 127\.0\.0\.1:\d+\/test\d+: nobody listens/,
      ),
    };
    await expect(opened(otherUrl, dataDir)).rejects.toMatchObject(refused);
    const copy = join(dataDir, "experiments-copy.json");
    await writeFile(copy, (await readFile(copy, "utf8")).replace('"traffic":1', '"traffic":0'));
    const error: unknown = await opened(url, dataDir).catch((reason: unknown) => reason);
    expect(error).toMatchObject(refused);
    expect(String(error)).not.toContain(postgresPassword);
    await server().start();
  });

  test("does not follow a database that was emptied: every experiment would end", async () => {
    const url = await server().newDatabase();
    const { store } = await opened(url, await temporaryFolder());
    await store.write("ada", () => creating("a"));
    await query(url, "TRUNCATE setlist_revisions");
    await isStale(store).toContain("holds nothing where it held 1 revision");
    const refused = { code: "UNAVAILABLE", message: expect.stringContaining("holds nothing where") };
    await expect(store.write("ada", () => creating("b"))).rejects.toMatchObject(refused);
    expect(idsOf(store)).toEqual(["a"]);
  });

  test("follows a database that went back to what a backup held", async () => {
    const url = await server().newDatabase();
    const { store } = await opened(url, await temporaryFolder());
    await store.write("ada", () => creating("a"));
    await store.write("ada", () => creating("b"));
    await query(url, "DELETE FROM setlist_revisions WHERE id = 'b'");
    await expect.poll(() => idsOf(store)).toEqual(["a"]);
  });

  test("follows a database that went back and has as many revisions again, though not the same", async () => {
    const url = await server().newDatabase();
    const { store } = await opened(url, await temporaryFolder());
    await store.write("ada", () => creating("b"));
    await query(url, `TRUNCATE setlist_revisions; ${unheard}`);
    await expect.poll(() => idsOf(store)).toEqual(["a"]);
  });

  test("is read without being made, and from the copy while PostgreSQL is gone", async () => {
    const url = await server().newDatabase();
    const dataDir = await temporaryFolder();
    expect(await readFleetState({ url, dataDir })).toEqual(emptyState);
    await expect(query(url, "SELECT FROM setlist_schema")).rejects.toMatchObject({ code: "42P01" });
    const { store, close } = await opened(url, dataDir);
    await store.write("ada", () => creating("a"));
    expect(await readFleetState({ url, dataDir })).toEqual(store.current());
    await close();
    await server().stop("fast");
    expect((await readFleetState({ url, dataDir })).experiments.map(({ id }) => id)).toEqual(["a"]);
    await server().start();
  });

  test("neither opens nor writes what a newer Setlist made, and reads on", async () => {
    const url = await server().newDatabase();
    const { store } = await opened(url, await temporaryFolder());
    await query(url, "UPDATE setlist_schema SET version = 99");
    const newer = { code: "UNAVAILABLE", message: expect.stringContaining("version 99") };
    await expect(store.write("ada", () => creating("a"))).rejects.toMatchObject(newer);
    await expect(opened(url, await temporaryFolder())).rejects.toMatchObject(newer);
    await server().stop("fast");
    await server().start();
    await query(url, unheard);
    await expect.poll(() => idsOf(store)).toEqual(["a"]);
  });
});
