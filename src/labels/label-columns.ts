import { type ColumnarStore, literal } from "../columnar/columnar.ts";
import { invalidArgument } from "../domain/error.ts";
import type { LabelFacts } from "./label-segment.ts";
import type { Teacher } from "./ports.ts";

/** The key of a label, and what the staged rows have beside it. DuckDB takes names that differ in case for one. */
const taken = ["request", "item", "$date", "$n"];

/** @throws {SetlistError} INVALID_ARGUMENT where the teacher's tasks cannot all be columns of one table. */
export function checkTaskNames({ name, tasks }: Teacher): void {
  const names = new Set(taken);
  for (const task of tasks) {
    if (names.has(task.toLowerCase()))
      throw invalidArgument(
        `teacher ${name}: the task ${task} cannot be a column of the labels: they have one of that name already (case counts for nothing)`,
      );
    names.add(task.toLowerCase());
  }
}

/**
 * A version's labels are one table, so what is there has to be of the tasks that the teacher has.
 * @throws {SetlistError} INVALID_ARGUMENT naming both.
 */
export async function checkSameTasks(
  store: ColumnarStore<LabelFacts>,
  root: string,
  { name, version, tasks }: Teacher,
): Promise<void> {
  const file = [...store.done.values()].flatMap(({ files }) => files)[0];
  if (file === undefined) return;
  const found = await store.stage(async (staging) => {
    const source = `read_parquet(${literal(`${root}/${file}`)}, hive_partitioning = false)`;
    const result = await staging.runAndReadAll(
      `SELECT column_name FROM (DESCRIBE SELECT * EXCLUDE (request, item) FROM ${source})`,
    );
    return result.getRows().map(([column]) => String(column));
  });
  if ([...found].sort().join("\n") === [...tasks].sort().join("\n")) return;
  throw invalidArgument(
    `${root} holds labels of the tasks ${found.join(", ")}, and teacher ${name} version ${version} has ${tasks.join(", ")}: give it a version of its own, or move the folder away`,
  );
}
