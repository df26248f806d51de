import type { Decision } from "../domain/assignment.ts";
import type { ScoreExplanation } from "../domain/explanation.ts";
import type { RankAnswer, RankedItem } from "../domain/rank.ts";
import { writeExplanation, writeValueModel } from "./explanation-codec.ts";
import { type MessageWriter, startMessage } from "./message-writer.ts";

/**
 * `setlist.v1.RankResponse`, written straight from the answer: it is the one large answer of the hot path, and through
 * proto-loader's objects it takes several times as long. Fields that have proto3's default are not left out, which
 * readers take just as well.
 */
export function writeRankResponse(answer: RankAnswer): Buffer {
  const writer = startMessage();
  writeRankFields(writer, answer);
  return writer.finish();
}

/** The message's fields alone, for a message around it. */
export function writeRankFields(writer: MessageWriter, answer: RankAnswer): void {
  writer.text(1, answer.requestId);
  writer.text(2, answer.surface);
  const { explanation } = answer;
  for (let i = 0; i < answer.items.length; i++) {
    writeItem(writer, answer.items[i] as RankedItem, explanation?.items[i]);
  }
  for (const { experiment, arm, layer } of answer.assignments) {
    const at = writer.open(4);
    writer.text(1, experiment);
    writer.text(2, arm);
    writer.text(3, layer);
    writer.close(at);
  }
  if (answer.model !== undefined) {
    const at = writer.open(5);
    writer.text(1, answer.model.name);
    writer.text(2, answer.model.version);
    writer.close(at);
  }
  for (const reason of answer.degraded) writer.text(6, reason);
  for (const decision of answer.decisions ?? []) writeDecision(writer, decision);
  if (explanation !== undefined) writeValueModel(writer, explanation);
}

function writeItem(
  writer: MessageWriter,
  { id, score, tasks }: RankedItem,
  explanation: ScoreExplanation | undefined,
): void {
  const item = writer.open(3);
  writer.text(1, id);
  writer.float64(2, score);
  for (const task in tasks) {
    const entry = writer.open(3);
    writer.text(1, task);
    writer.float64(2, tasks[task] ?? 0);
    writer.close(entry);
  }
  if (explanation !== undefined) writeExplanation(writer, explanation);
  writer.close(item);
}

function writeDecision(writer: MessageWriter, decision: Decision): void {
  const at = writer.open(7);
  writer.text(1, decision.experiment);
  writer.text(2, decision.layer);
  writer.text(3, decision.reason);
  writer.text(4, decision.detail);
  if (decision.arm !== undefined) writer.text(5, decision.arm);
  if (decision.layerBucket !== undefined) writer.float64(6, decision.layerBucket);
  if (decision.armBucket !== undefined) writer.float64(7, decision.armBucket);
  if (decision.unit !== undefined) writer.text(8, decision.unit);
  for (const { holdout, bucket } of decision.holdouts ?? []) {
    const place = writer.open(9);
    writer.text(1, holdout);
    if (bucket !== undefined) writer.float64(2, bucket);
    writer.close(place);
  }
  writer.close(at);
}
