import type { RankAnswer, RankTimings } from "../domain/rank.ts";
import type { PublicError } from "../serving/public-error.ts";
import { type MessageWriter, startMessage } from "./message-writer.ts";
import { writeRankFields } from "./rank-response-codec.ts";

/** `setlist.v1.RankStreamResponse` with an answer. @param sequence the request's place on its call, from 0. */
export function writeStreamAnswer(sequence: number, answer: RankAnswer): Buffer {
  const writer = startResponse(sequence, answer.requestId);
  const at = writer.open(3);
  writeRankFields(writer, answer);
  writer.close(at);
  writeTimings(writer, answer.timings);
  return writer.finish();
}

/** `setlist.v1.RankStreamResponse` with a refusal. @param requestId under which the server's log knows the request. */
export function writeStreamError(sequence: number, requestId: string, error: PublicError): Buffer {
  const writer = startResponse(sequence, requestId);
  const at = writer.open(4);
  writer.text(1, error.code);
  writer.text(2, error.detail);
  if (error.retryAfterSeconds !== undefined) writer.uint(3, error.retryAfterSeconds);
  writer.close(at);
  return writer.finish();
}

function startResponse(sequence: number, requestId: string): MessageWriter {
  const writer = startMessage();
  writer.uint(1, sequence);
  writer.text(2, requestId);
  return writer;
}

function writeTimings(writer: MessageWriter, timings: RankTimings): void {
  const at = writer.open(5);
  writer.float64(1, timings.assign);
  writer.float64(2, timings.features);
  writer.float64(3, timings.queue);
  writer.float64(4, timings.inference);
  writer.float64(5, timings.rank);
  writer.close(at);
}
