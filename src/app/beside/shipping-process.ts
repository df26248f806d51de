/** A process that sends a log on to Kafka, beside the server that writes it, and ends with it. */
import { setTimeout as sleep } from "node:timers/promises";
import { lockFolder } from "../../columnar/folder-lock.ts";
import { SetlistError } from "../../domain/error.ts";
import type { SyncedEnd } from "../../domain/log-reading.ts";
import { logIdentity, openLogTail } from "../../outcomes/outcomes.ts";
import {
  KafkaSink,
  MessageEncoder,
  PositionFile,
  Shipper,
  topicsOf,
  wordsOf,
} from "../../shipping/shipping.ts";
import { foldersOf } from "../data/data-directory.ts";
import { systemClock } from "../system-clock.ts";
import type { ShippingOrder, ShippingWord } from "./log-shipping.ts";

/** The process of a server that was killed a moment ago may still have the folder. */
const lockMsMax = 10_000;
const statusMs = 500;

let synced: readonly SyncedEnd[] = [];
let shipper: Shipper | undefined;
let isClosed = false;

process.on("message", (order: ShippingOrder) => {
  if ("synced" in order) {
    synced = order.synced;
    isClosed = order.closed;
    if (isClosed) shipper?.finish();
    return;
  }
  ship(order).then(
    () => process.exit(0),
    (error: unknown) => {
      say({ problem: error instanceof SetlistError ? error.message : wordsOf(error) });
      process.exit(1);
    },
  );
});
// Whoever writes the log has ended: what else it has written another one will say.
process.on("disconnect", () => process.exit(1));
// Both reach every process of a terminal's group; the server says when this one ends.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined);

async function ship({ dataDir, shipping }: Extract<ShippingOrder, { dataDir: string }>): Promise<void> {
  const { log: directory, shipping: folder } = foldersOf(dataDir);
  const log = await logIdentity(directory);
  const position = await PositionFile.open(folder, log);
  const lock = await locked(folder);
  const onWarning = (warning: string, fields: Record<string, unknown>): void => say({ warning, fields });
  const tail = openLogTail({ directory, from: position.read(), synced: () => synced, onWarning });
  const sink = new KafkaSink(shipping, shipping.compression);
  const running = new Shipper({
    tail,
    encoder: new MessageEncoder(topicsOf(shipping.topicPrefix), log, () => systemClock.now()),
    sink,
    position,
    bytesPerSecondMax: shipping.bytesPerSecondMax,
    clock: systemClock,
    describe: wordsOf,
  });
  shipper = running;
  if (isClosed) running.finish();
  const report = async (): Promise<void> => say({ status: await running.status() });
  const timer = setInterval(() => void report(), statusMs);
  try {
    await running.run();
    await report();
  } finally {
    clearInterval(timer);
    await sink.close();
    await tail.close();
    lock.release();
  }
}

async function locked(folder: string): Promise<{ release(): void }> {
  for (const late = systemClock.monotonic() + lockMsMax; ; await sleep(50)) {
    try {
      return lockFolder(folder);
    } catch (error) {
      if (systemClock.monotonic() > late) throw error;
    }
  }
}

function say(word: ShippingWord): void {
  process.send?.(word);
}
