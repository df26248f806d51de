/** A process that compacts once and ends. */
import { SetlistError } from "../../domain/error.ts";
import { runErrand } from "../../processes/errand.ts";
import { compactDataDirectory } from "../data/compact-data.ts";
import type { CompactingAnswer, CompactingOrder } from "./background-compaction.ts";

runErrand(async (order: CompactingOrder): Promise<CompactingAnswer> => {
  const warnings: string[] = [];
  try {
    const compaction = await compactDataDirectory({ ...order, onWarning: (text) => warnings.push(text) });
    return { compaction, warnings };
  } catch (error) {
    if (error instanceof SetlistError && error.code === "ABORTED") return { busy: true };
    throw error;
  }
});
