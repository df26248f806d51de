import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Decision } from "../domain/assignment.ts";
import type { RankAnswer, RankedItem } from "../domain/rank.ts";

/**
 * `setlist.v1.RankResponse`, written straight from the answer: it is the one large answer of the hot path, and through
 * proto-loader's objects 200 items with three tasks take three times as long (380 to 404 us against 118 to 128;
 * Node 24, same run). Fields that have proto3's default are not left out, which readers take just as well.
 */
export function writeRankResponse(answer: RankAnswer): Buffer {
  const writer = new BinaryWriter();
  text(writer, 1, answer.requestId);
  text(writer, 2, answer.surface);
  for (const item of answer.items) writeItem(writer, item);
  for (const { experiment, arm, layer } of answer.assignments) {
    writer.tag(4, WireType.LengthDelimited).fork();
    text(writer, 1, experiment);
    text(writer, 2, arm);
    text(writer, 3, layer);
    writer.join();
  }
  if (answer.model !== undefined) {
    writer.tag(5, WireType.LengthDelimited).fork();
    text(writer, 1, answer.model.name);
    text(writer, 2, answer.model.version);
    writer.join();
  }
  for (const reason of answer.degraded) text(writer, 6, reason);
  for (const decision of answer.decisions ?? []) writeDecision(writer, decision);
  const bytes = writer.finish();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function writeItem(writer: BinaryWriter, { id, score, tasks }: RankedItem): void {
  writer.tag(3, WireType.LengthDelimited).fork();
  text(writer, 1, id);
  float64(writer, 2, score);
  for (const task in tasks) {
    writer.tag(3, WireType.LengthDelimited).fork();
    text(writer, 1, task);
    float64(writer, 2, tasks[task] ?? 0);
    writer.join();
  }
  writer.join();
}

function writeDecision(writer: BinaryWriter, decision: Decision): void {
  writer.tag(7, WireType.LengthDelimited).fork();
  text(writer, 1, decision.experiment);
  text(writer, 2, decision.layer);
  text(writer, 3, decision.reason);
  text(writer, 4, decision.detail);
  if (decision.arm !== undefined) text(writer, 5, decision.arm);
  float64(writer, 6, decision.layerBucket);
  float64(writer, 7, decision.armBucket);
  writer.join();
}

function text(writer: BinaryWriter, field: number, value: string): void {
  writer.tag(field, WireType.LengthDelimited).string(value);
}

function float64(writer: BinaryWriter, field: number, value: number): void {
  writer.tag(field, WireType.Bit64).double(value);
}
