import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { openColumnarStore } from "../../src/columnar/columnar.ts";
import { KnownRequests } from "../../src/labels/known-requests.ts";
import {
  followLog,
  type LabelOptions,
  type LabelProgress,
  labelLog,
  type Teacher,
} from "../../src/labels/labels.ts";
import { impressionOf } from "../support/log-records.ts";
import { rowsOf } from "../support/parquet.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { realClock } from "../support/tiny-models.ts";

const teacher: Teacher = {
  name: "wise",
  version: "1",
  tasks: ["click"],
  score: async ({ items }) => new Float32Array(items.length).fill(0.5),
};

/**
 * Options over a log of one segment for each list of requests, of which each is a batch of its own: `r1` shows t1 and
 * t2, `r1 t5 t6` what it says.
 */
async function optionsFor(
  segments: readonly (readonly string[])[],
  changes: Partial<LabelOptions> = {},
): Promise<LabelOptions> {
  const sealed = segments.map((requests, index) => ({
    name: String(index + 1).padStart(10, "0"),
    salt: async () => index,
    async *read() {
      for (const request of requests) {
        const [id = "", ...items] = request.split(" ");
        yield [impressionOf(id, "u1", "kd", items.length === 0 ? ["t1", "t2"] : items)];
      }
    },
  }));
  return {
    labels: join(await temporaryFolder(), "labels"),
    teacher,
    segments: async () => ({ sealed, open: 0 }),
    clock: realClock,
    signal: new AbortController().signal,
    ...changes,
  };
}

test("a teacher that fails for a later request, while an earlier one is being scored, ends the run with its error", async () => {
  const failing: Teacher = {
    ...teacher,
    async score(impression) {
      // Node needs a turn of its loop to find a failure that nobody has asked for.
      if (impression.requestId === "first") await sleep(50);
      else throw new Error("the teacher is ill");
      return new Float32Array(impression.items.length);
    },
  };
  const options = await optionsFor([["first", "second"]], { teacher: failing });
  await expect(labelLog(options)).rejects.toThrow("the teacher is ill");
});

test("a request that comes again, segments and runs later, gets labels for its new items only", async () => {
  const options = await optionsFor([
    ["r1 a b", "r2 a"],
    ["r3 a"],
    ["r4 a", "r1 b c"],
    ["r1 a b", "r1 c"],
    ["r3 a d", "r1 c e e", "r5 a"],
  ]);
  const { sealed } = await options.segments();
  const first = { ...options, segments: async () => ({ sealed: sealed.slice(0, 3), open: 0 }) };
  expect(await labelLog(first)).toMatchObject({ labelled: 6, alreadyLabelled: 1 });
  expect(await labelLog(options)).toMatchObject({ labelled: 3, alreadyLabelled: 6 + 1 + 3 + 3 });
  const keys = await rowsOf(
    `SELECT request || ' ' || item AS key FROM '${options.labels}/teacher=wise/version=1/date=*/*.parquet' ORDER BY 1`,
  );
  expect(keys.map(({ key }) => key)).toStrictEqual([
    "r1 a",
    "r1 b",
    "r1 c",
    "r1 e",
    "r2 a",
    "r3 a",
    "r3 d",
    "r4 a",
    "r5 a",
  ]);
});

test("of the labels that are there, only those of segments with the same requests are read again", async () => {
  const root = await temporaryFolder();
  const store = await openColumnarStore(root, []);
  const found = await store.stage(async (index) => {
    await index.run(`COPY (SELECT unnest(['r1', 'r2', 'r2']) AS request) TO '${root}/one.parquet'`);
    await index.run(`COPY (SELECT unnest(['r2', 'r3']) AS request) TO '${root}/two.parquet'`);
    const known = await KnownRequests.open(index, [[`${root}/one.parquet`], [], [`${root}/two.parquet`]]);
    await known.add(["r4", "r1"], ["three"]);
    await known.add(["r5"], []);
    return [
      await known.filesOf(["r1", "r9"]),
      await known.filesOf(["r2"]),
      await known.filesOf(["r5", "r9"]),
      await known.filesOf([]),
    ];
  });
  store.close();
  expect(found).toStrictEqual([
    [`${root}/one.parquet`, "three"],
    [`${root}/one.parquet`, `${root}/two.parquet`],
    [],
    [],
  ]);
});

test("another log's segments of the same numbers are refused, not taken for labelled", async () => {
  const { labels } = await optionsFor([]);
  await labelLog(await optionsFor([["r1"]], { labels }));
  const { segments } = await optionsFor([["r2"]]);
  const { sealed } = await segments();
  const other = sealed.map((segment) => ({ ...segment, salt: async () => 7 }));
  await expect(
    labelLog(await optionsFor([], { labels, segments: async () => ({ sealed: other, open: 0 }) })),
  ).rejects.toThrow("holds labels of segment 0000000001 of another log");
});

test("tasks that cannot be columns of one table are refused", async () => {
  for (const tasks of [["click", "Click"], ["ITEM"], ["$n"]])
    await expect(labelLog(await optionsFor([["r1"]], { teacher: { ...teacher, tasks } }))).rejects.toThrow(
      `teacher wise: the task ${tasks.at(-1)} cannot be a column of the labels: they have one of that name already`,
    );
});

test("a teacher of other tasks than its version's labels is refused, in another order it goes on", async () => {
  const options = await optionsFor([["r1"]]);
  const score: Teacher["score"] = async ({ items }) => new Float32Array(2 * items.length);
  const two = { ...teacher, tasks: ["click", "like"], score };
  await labelLog({ ...options, teacher: two });
  await expect(labelLog(options)).rejects.toThrow(
    `${options.labels}/teacher=wise/version=1 holds labels of the tasks click, like, and teacher wise version 1 has click: give it a version of its own, or move the folder away`,
  );
  const turned = { ...two, tasks: ["like", "click"] };
  expect(await labelLog({ ...options, teacher: turned })).toMatchObject({ labelled: 0, alreadyLabelled: 2 });
});

test("a pass tells first what is done already, then every segment that it labels", async () => {
  const told: (readonly unknown[])[] = [];
  const onProgress = ({ done, segments, labelling, fresh }: LabelProgress): void => {
    told.push([done, segments, labelling.impressions, labelling.segments, fresh?.labelled]);
  };
  const options = await optionsFor([["r1"], ["r2", "r3"], ["r4"]], { onProgress });
  const { sealed } = await options.segments();
  await labelLog({ ...options, segments: async () => ({ sealed: sealed.slice(0, 1), open: 2 }) });
  expect(told.splice(0)).toStrictEqual([
    [0, 1, 0, 0, undefined],
    [1, 1, 1, 1, 2],
  ]);
  expect(await labelLog(options)).toMatchObject({ segments: 2, segmentsDoneBefore: 1 });
  expect(told).toStrictEqual([
    [1, 3, 1, 0, undefined],
    [2, 3, 3, 1, 4],
    [3, 3, 4, 2, 2],
  ]);
});

test("following a log of which nothing is sealed yet tells so", async () => {
  const stop = new AbortController();
  const told: LabelProgress[] = [];
  const onProgress = (progress: LabelProgress): void => {
    told.push(progress);
    stop.abort();
  };
  await followLog(await optionsFor([], { onProgress, signal: stop.signal }), 1);
  expect(told).toMatchObject([{ done: 0, segments: 0, labelling: { impressions: 0, coverage: 1 } }]);
});

test("an exposure that a client tracked shows no items, so that the teacher is not asked", async () => {
  const asked: string[] = [];
  const options = await optionsFor([], {
    teacher: {
      ...teacher,
      async score({ requestId, items }) {
        asked.push(requestId);
        return new Float32Array(items.length).fill(0.5);
      },
    },
    segments: async () => ({
      sealed: [
        {
          name: "0000000001",
          salt: async () => 1,
          async *read() {
            yield [impressionOf("exposed", "u1", "kd", []), impressionOf("ranked", "u1", "kd", ["t1"])];
          },
        },
      ],
      open: 0,
    }),
  });
  expect(await labelLog(options)).toMatchObject({ impressions: 1, labelled: 1, unlabelled: 0 });
  expect(asked).toEqual(["ranked"]);
});
