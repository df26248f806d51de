import type { AppliedValueModel, RerankStep, ScoreExplanation } from "../domain/explanation.ts";
import type { InterleavingExplanation } from "../domain/interleaving.ts";
import type { MessageWriter } from "./message-writer.ts";

/**
 * The fields of `setlist.v1.RankResponse` that an explained answer has besides: the value model and its origin.
 * @param first the first of two fields, one behind the other: 8 there, 3 in an `InterleavedArm`.
 */
export function writeValueModel(
  writer: MessageWriter,
  { valueModel, origin }: AppliedValueModel,
  first = 8,
): void {
  const model = writer.open(first);
  writer.text(1, valueModel.kind);
  writeNumbers(writer, 2, valueModel.weights);
  writeNumbers(writer, 3, valueModel.powers ?? {});
  for (const { by, decay, floor } of valueModel.diversity ?? []) {
    const at = writer.open(4);
    writer.text(1, by);
    writer.float64(2, decay);
    if (floor !== undefined) writer.float64(3, floor);
    writer.close(at);
  }
  writer.close(model);
  const at = writer.open(first + 1);
  writer.text(1, origin.fusion);
  writer.text(2, origin.diversity);
  writer.close(at);
}

/** `RankResponse.interleaving`. */
export function writeInterleaving(writer: MessageWriter, { id, arms, slots }: InterleavingExplanation): void {
  const interleaving = writer.open(10);
  writer.text(1, id);
  writer.uint(2, slots.filter(({ competitive }) => competitive).length);
  for (const applied of arms) {
    const arm = writer.open(3);
    writer.text(1, applied.arm);
    const model = writer.open(2);
    writer.text(1, applied.model.name);
    writer.text(2, applied.model.version);
    writer.close(model);
    writeValueModel(writer, applied, 3);
    writer.close(arm);
  }
  writer.close(interleaving);
}

/** `RankedItem.explanation`. */
export function writeExplanation(writer: MessageWriter, { parts, fused, steps }: ScoreExplanation): void {
  const at = writer.open(4);
  writeNumbers(writer, 1, parts);
  writer.float64(2, fused);
  for (const step of steps) writeStep(writer, step);
  writer.close(at);
}

function writeStep(writer: MessageWriter, { step, by, key, repeats, factor, score }: RerankStep): void {
  const at = writer.open(3);
  writer.text(1, step);
  writer.text(2, by);
  if (key !== undefined) writer.text(3, key);
  writer.uint(4, repeats);
  writer.float64(5, factor);
  writer.float64(6, score);
  writer.close(at);
}

function writeNumbers(writer: MessageWriter, field: number, numbers: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(numbers)) {
    const at = writer.open(field);
    writer.text(1, name);
    writer.float64(2, value);
    writer.close(at);
  }
}
