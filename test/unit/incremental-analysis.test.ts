/** What an incremental analysis keeps, when it does without, and what it says then. */
import { cp, mkdir, readdir, readFile, rm, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { analyzeExperiment } from "../../src/analysis/analysis.ts";
import { lockFolder } from "../../src/columnar/columnar.ts";
import type { Experiment } from "../../src/domain/experiment.ts";
import type { LogFiles } from "../../src/domain/log-reading.ts";
import type { LogRecord } from "../../src/domain/outcome-log.ts";
import type { KeptStates } from "../../src/measurement/measurement.ts";
import { experimentOf, impressionOf, outcomeOf } from "../support/log-records.ts";
import { withGrowingLog } from "../support/logged-files.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const asOf = new Date("2026-11-22T12:00:00.000Z");
const experiment = experimentOf({});
const made = "There is no state of this experiment yet: the whole log is read once.";

/** Each segment one user's request and its outcome. */
const segmentsOf = (count: number): LogRecord[][] =>
  Array.from({ length: count }, (_, i) => [
    impressionOf(`r${i}`, `u${i}`, i % 2 === 0 ? "control" : "kd", ["t1"]),
    outcomeOf(`o${i}`, `r${i}`, "t1"),
  ]);

class Looks {
  readonly folder: string;
  notices: string[] = [];

  constructor(folder: string) {
    this.folder = folder;
  }

  get states(): Omit<KeptStates, "warehouse"> {
    return {
      folder: join(this.folder, "analysis"),
      experiments: ["home-kd"],
      onNotice: (sentence) => this.notices.push(sentence),
    };
  }

  /** Expects what an analysis of the whole log says; answers the notices. */
  async at(segments: LogRecord[][], change: Partial<Experiment> = {}, drop = 0): Promise<string[]> {
    this.notices = [];
    const length = segments.length;
    const log = { folder: this.folder, segments };
    await withGrowingLog(log, { compacted: length, length }, async (files, warehouse) => {
      const left: LogFiles = { ...files, outcomes: files.outcomes.slice(drop) };
      const analysis = { experiment: { ...experiment, ...change }, files: left, alpha: 0.05, asOf };
      const report = await analyzeExperiment({ ...analysis, states: { ...this.states, warehouse } });
      expect(report).toEqual(await analyzeExperiment(analysis));
    });
    return this.notices;
  }
}

const looks = async (): Promise<Looks> => new Looks(await temporaryFolder());

test("what is known is not read again, and there is nothing to say of it", async () => {
  const its = await looks();
  expect(await its.at(segmentsOf(2))).toEqual([made]);
  expect(await its.at(segmentsOf(3))).toEqual([]);
  expect(await its.at(segmentsOf(3))).toEqual([]);
});

test("an outcome that is logged ahead of its request answers it once that is there", async () => {
  const its = await looks();
  const ahead = [...segmentsOf(2), [outcomeOf("ahead", "r9", "t1")]];
  await its.at(ahead);
  expect(await its.at([...ahead, [impressionOf("r9", "u9", "kd", ["t1"])]])).toEqual([]);
});

test("another document has a state of its own; what no statement reads changes nothing", async () => {
  const its = await looks();
  await its.at(segmentsOf(2));
  expect(await its.at(segmentsOf(2), { description: "another one" })).toEqual([]);
  expect(await its.at(segmentsOf(2), { phase: 2 })).toEqual([
    "The experiment's document, or Setlist, has changed since: the whole log is read once.",
  ]);
  expect(await readdir(join(its.folder, "analysis"))).toEqual(["home-kd"]);
});

test("a page needs the whole log, and the notice names the flag", async () => {
  const its = await looks();
  const length = 2;
  const log = { folder: its.folder, segments: segmentsOf(length) };
  await withGrowingLog(log, { compacted: length, length }, async (files, warehouse) => {
    const states = { ...its.states, warehouse };
    const analysis = { experiment, files, states, alpha: 0.05, asOf };
    await analyzeExperiment({ ...analysis, designs: { page: true } });
    await analyzeExperiment({ ...analysis, designs: { novelty: true } });
  });
  expect(its.notices).toEqual([
    "--html needs the whole log, so --incremental saves nothing here.",
    expect.stringMatching(/^Looks of a plan, .* need the whole log: it is read\.$/),
  ]);
});

test("a file that retention took takes what was known of it along", async () => {
  const its = await looks();
  await its.at(segmentsOf(3));
  expect(await its.at(segmentsOf(3), {}, 1)).toEqual([
    expect.stringMatching(
      /^outcomes\/date=.*0000000001.parquet is gone: what was known of the log is read again\.$/,
    ),
  ]);
});

test("a state that is damaged is removed, and the whole log read", async () => {
  const its = await looks();
  await its.at(segmentsOf(3));
  await truncate(join(its.folder, "analysis/home-kd/known.duckdb"), 20_000);
  expect(await its.at(segmentsOf(3))).toEqual([
    expect.stringMatching(/^The state in .* could not be used and is removed \(/s),
  ]);
  expect(await its.at(segmentsOf(3))).toEqual([made]);
});

test("while another analysis is at the state, and where none can be kept, the whole log is read", async () => {
  const its = await looks();
  await its.at(segmentsOf(2));
  const lock = lockFolder(join(its.folder, "analysis/home-kd"));
  expect(await its.at(segmentsOf(3))).toEqual([
    "Another analysis is at the state of this experiment: the whole log is read.",
  ]);
  lock.release();
  const other = await looks();
  await writeFile(join(other.folder, "analysis"), "");
  expect(await other.at(segmentsOf(2))).toEqual([expect.stringMatching(/^No state can be kept in /)]);
});

test("states of experiments that are gone are removed, and one that nobody asked for", async () => {
  const its = await looks();
  await its.at(segmentsOf(2));
  const own = join(its.folder, "analysis/home-kd");
  await cp(own, join(its.folder, "analysis/gone"), { recursive: true });
  await its.at(segmentsOf(2));
  expect(await readdir(join(its.folder, "analysis"))).toEqual(["home-kd"]);
  const long = new Date(Date.now() - 15 * 86_400_000);
  await utimes(join(own, "known.duckdb"), long, long);
  expect(await its.at(segmentsOf(2))).toEqual([made]);
});

test("nothing goes but what an analysis has written: not what stands beside it, nor what is behind a link", async () => {
  const its = await looks();
  await its.at(segmentsOf(2));
  const [own, other] = [join(its.folder, "analysis/home-kd"), await temporaryFolder()];
  await cp(own, join(its.folder, "analysis/gone"), { recursive: true });
  await cp(own, other, { recursive: true });
  await symlink(other, join(its.folder, "analysis/linked"));
  await mkdir(join(its.folder, "analysis/notes"));
  await writeFile(join(its.folder, "analysis/gone/mine.txt"), "mine");
  await its.at(segmentsOf(2));
  expect((await readdir(join(its.folder, "analysis"))).sort()).toEqual([
    "gone",
    "home-kd",
    "linked",
    "notes",
  ]);
  expect(await readdir(join(its.folder, "analysis/gone"))).toEqual(["mine.txt"]);
  expect(await readdir(other)).toContain("known.duckdb");
});

test("a state that can be neither used nor removed costs a notice, not the analysis", async () => {
  const its = await looks();
  await its.at(segmentsOf(2));
  const state = join(its.folder, "analysis/home-kd/known.duckdb");
  await rm(state);
  await mkdir(state);
  expect(await its.at(segmentsOf(2))).toEqual([
    expect.stringMatching(
      /^The state in .* could not be used and cannot be removed \(.*\): the whole log is read\.$/,
    ),
  ]);
});

test("a state with bytes that have changed gives the figures of the log", async () => {
  const its = await looks();
  await its.at(segmentsOf(3));
  const state = join(its.folder, "analysis/home-kd/known.duckdb");
  const sound = await readFile(state);
  for (const place of [0, 12, 4_100, 8_200, 12_300, 300_000]) {
    const damaged = Buffer.from(sound);
    damaged.fill(0xa5, place % sound.length, (place % sound.length) + 64);
    await writeFile(state, damaged);
    await its.at(segmentsOf(3));
  }
});
