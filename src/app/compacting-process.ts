/** A process that compacts once and ends. */
import { SetlistError } from "../domain/error.ts";
import type { CompactingAnswer, CompactingOrder } from "./background-compaction.ts";
import { compactDataDirectory } from "./compact-data.ts";

process.once("message", async (order: CompactingOrder) => {
  const warnings: string[] = [];
  let answer: CompactingAnswer;
  try {
    const compaction = await compactDataDirectory({ ...order, onWarning: (text) => warnings.push(text) });
    answer = { compaction, warnings };
  } catch (error) {
    if (error instanceof SetlistError && error.code === "ABORTED") answer = { busy: true };
    else answer = { problem: error instanceof Error ? error.message : String(error) };
  }
  process.send?.(answer, () => process.exit(0));
});
process.on("disconnect", () => process.exit(1));
