import { once } from "node:events";
import { type Duplex, duplexPair } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { RemoteLog, serveLog } from "../../src/outcomes/outcomes.ts";
import { writeImpressionFrame, writeOutcomeFrame } from "../../src/outcomes/record-codec.ts";
import { RecordWriter } from "../../src/outcomes/record-writer.ts";
import {
  impressionFrames,
  MessageReader,
  outcomeFrames,
  refused,
  shadowFrames,
  streamMessage,
} from "../../src/outcomes/stream-messages.ts";
import { impressionOf, outcomeOf, shadowOf } from "../support/log-records.ts";
import { namesIn, openTestLog, recordsIn, testDisk } from "../support/outcomes-log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** One log, and as many processes' logs over it as wanted. */
async function openShared() {
  const directory = await temporaryFolder();
  const disk = testDisk();
  const log = await openTestLog(directory, { disk });
  // Runs behind what a test has registered later: the disk is let go of by then.
  onTestFinished(async () => {
    disk.mend();
    await log.close().catch(() => undefined);
  });
  const connect = (onLost = () => undefined): { remote: RemoteLog; mine: Duplex } => {
    const [mine, theirs] = duplexPair();
    serveLog(log, theirs);
    return { remote: new RemoteLog(mine, onLost), mine };
  };
  return { directory, disk, log, connect };
}

test("what two processes append stands in one log, as each of them said it", async () => {
  const { directory, log, connect } = await openShared();
  const [one, other] = [connect().remote, connect().remote];
  await one.appendImpression(impressionOf("r1", "u1", "kd"));
  await other.appendImpression(impressionOf("r2", "u2", "control"));
  expect(await one.appendOutcomes([outcomeOf("o1", "r2", "t1")])).toEqual({
    accepted: 1,
    duplicates: 0,
    unmatched: 0,
  });
  await other.appendShadow(shadowOf("r2"));
  await Promise.all([one.close(), other.close()]);
  await log.close();
  expect(await recordsIn(directory)).toEqual([
    impressionOf("r1", "u1", "kd"),
    impressionOf("r2", "u2", "control"),
    outcomeOf("o1", "r2", "t1"),
    shadowOf("r2"),
  ]);
});

test("an outcome that another process has brought is a duplicate, also while it is on its way to the disk", async () => {
  const { disk, connect } = await openShared();
  const [one, other] = [connect().remote, connect().remote];
  const release = disk.hold("sync");
  const first = one.appendOutcomes([outcomeOf("o1", "r1", "t1"), outcomeOf("o2", "r1", "t1")]);
  let heard = false;
  const second = other.appendOutcomes([outcomeOf("o2", "r1", "t1"), outcomeOf("o3", "r1", "t1")]);
  void second.then(() => {
    heard = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(heard).toBe(false);
  release();
  expect(await first).toEqual({ accepted: 2, duplicates: 0, unmatched: 2 });
  expect(await second).toEqual({ accepted: 1, duplicates: 1, unmatched: 1 });
});

test("an impression resolves once it is written, those of one turn with one write", async () => {
  const { directory, disk, connect } = await openShared();
  const { remote } = connect();
  const before = disk.calls.write;
  await Promise.all(
    Array.from({ length: 50 }, (_, index) => remote.appendImpression(impressionOf(`r${index}`, "u1", "kd"))),
  );
  expect(await namesIn(directory)).toHaveLength(50);
  expect(disk.calls.write - before).toBe(1);
});

test("messages that arrive in single bytes, or cut off by a death, append what was whole", async () => {
  const { directory, log } = await openShared();
  const [mine, wire] = duplexPair();
  const [far, theirs] = duplexPair();
  const sent: Buffer[] = [];
  wire.on("data", (chunk: Buffer) => sent.push(chunk));
  serveLog(log, theirs);
  far.resume();
  const remote = new RemoteLog(mine, () => undefined);
  void remote.appendImpression(impressionOf("r1", "u1", "kd")).catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, 10));
  void remote.appendImpression(impressionOf("r2", "u1", "kd")).catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, 10));
  const bytes = Buffer.concat(sent);
  for (const byte of bytes.subarray(0, -1)) far.write(Buffer.from([byte]));
  far.end();
  await new Promise((resolve) => setTimeout(resolve, 50));
  await log.close();
  expect(await namesIn(directory)).toEqual(["r1"]);
});

test("where the writing process has ended, what waits and what comes is refused", async () => {
  const { disk, connect } = await openShared();
  const order: string[] = [];
  const { remote, mine } = connect(() => void order.push("lost"));
  onTestFinished(disk.hold("sync"));
  const waiting = remote.appendOutcomes([outcomeOf("o1", "r1", "t1")]).catch((error: Error) => {
    order.push(error.message);
  });
  mine.destroy();
  await waiting;
  // Whoever cannot go on without the log hears of it before anyone is answered without.
  expect(order[0]).toBe("lost");
  expect(order[1]).toContain("the process that writes it has ended");
  await expect(remote.appendImpression(impressionOf("r1", "u1", "kd"))).rejects.toMatchObject({
    code: "UNAVAILABLE",
  });
});

test("a close is no loss", async () => {
  const { connect } = await openShared();
  let lost = false;
  const { remote, mine } = connect(() => {
    lost = true;
  });
  await remote.close();
  await once(mine.destroy(), "close");
  expect(lost).toBe(false);
});

/** The first answer to an order that says `body` is frames. */
async function answerTo(log: Parameters<typeof serveLog>[0], kind: number, body: Buffer) {
  const [mine, theirs] = duplexPair();
  serveLog(log, theirs);
  mine.write(streamMessage(7, kind, body));
  const [bytes] = (await once(mine, "data")) as [Buffer];
  const [answer] = [...new MessageReader().take(bytes)];
  return { number: answer?.number, kind: answer?.kind };
}

test.each([
  ["impressions", impressionFrames],
  ["outcomes", outcomeFrames],
  ["comparisons", shadowFrames],
])(
  "an order whose frames are cut wrongly is refused and leaves nothing in the log: %s",
  async (_of, kind) => {
    const { directory, log } = await openShared();
    const frames = new RecordWriter();
    writeImpressionFrame(frames, impressionOf("r1", "u1", "kd"));
    const whole = Buffer.from(frames.bytes());
    const longer = Buffer.from(whole);
    longer.writeUInt32LE(whole.length, 8);
    for (const body of [
      longer,
      whole.subarray(0, 40),
      Buffer.concat([whole, Buffer.alloc(9)]),
      Buffer.alloc(64),
    ])
      expect(await answerTo(log, kind, body)).toEqual({ number: 7, kind: refused });
    await log.appendOutcomes([outcomeOf("o1", "r1", "t1")]);
    await log.close();
    expect(await namesIn(directory)).toEqual(["o1"]);
  },
);

test("an id that says that it is longer than its message is refused, at once", async () => {
  const { directory, log } = await openShared();
  for (const length of [
    [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
    [0xfe, 0x7f],
  ]) {
    const frames = new RecordWriter();
    writeOutcomeFrame(frames, outcomeOf("o".repeat(60), "r1", "t1"));
    const body = Buffer.from(frames.bytes());
    Buffer.from(length).copy(body, 17);
    expect(await answerTo(log, outcomeFrames, body)).toEqual({ number: 7, kind: refused });
  }
  await log.close();
  expect(await namesIn(directory)).toEqual([]);
});
