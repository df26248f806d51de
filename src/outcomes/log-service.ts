import type { Duplex } from "node:stream";
import { messageOf, SetlistError } from "../domain/error.ts";
import type { AppendedOutcomes } from "../domain/outcome-log.ts";
import { areFrames } from "./frame.ts";
import type { FrameLog } from "./outcome-log.ts";
import {
  done,
  impressionFrames,
  type Message,
  MessageReader,
  outcomeFrames,
  refused,
  shadowFrames,
  streamMessage,
} from "./stream-messages.ts";

const nothing = Buffer.alloc(0);

/**
 * Appends what a `RemoteLog` at the other end of the stream sends, and answers each order once the log's promise for it
 * holds. What had arrived whole before the other process died is appended.
 */
export function serveLog(log: FrameLog, stream: Duplex): void {
  const reader = new MessageReader();
  stream.on("data", (chunk: Buffer) => {
    for (const message of reader.take(chunk)) void answer(log, message).then((bytes) => stream.write(bytes));
  });
  // The other process has ended: nobody waits for an answer, and whoever supervises it knows.
  stream.on("error", () => undefined);
}

async function answer(log: FrameLog, { number, kind, body }: Message): Promise<Buffer> {
  try {
    // What is cut wrongly would take the frames of others with it.
    if (!areFrames(body)) throw new Error(`order ${number} holds no whole frames`);
    if (kind === outcomeFrames)
      return streamMessage(number, done, bytesOf(await log.appendOutcomeFrames(body)));
    if (kind === impressionFrames) await log.appendImpressionFrames(body);
    else if (kind === shadowFrames) await log.appendShadowFrames(body);
    else throw new Error(`unknown order ${kind}`);
    return streamMessage(number, done, nothing);
  } catch (error) {
    return streamMessage(number, refused, Buffer.from(JSON.stringify(toldOf(error))));
  }
}

function bytesOf({ accepted, duplicates, unmatched }: AppendedOutcomes): Uint8Array {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32LE(accepted, 0);
  bytes.writeUInt32LE(duplicates, 4);
  bytes.writeUInt32LE(unmatched, 8);
  return bytes;
}

function toldOf(error: unknown): Pick<SetlistError, "code" | "message" | "retryAfterSeconds"> {
  if (!(error instanceof SetlistError)) {
    const message = messageOf(error);
    return { code: "INTERNAL", message, retryAfterSeconds: undefined };
  }
  const { code, message, retryAfterSeconds } = error;
  return { code, message, retryAfterSeconds };
}
