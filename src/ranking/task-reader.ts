/** The tasks of one candidate, by name, from the place in `probabilities` where its row begins. */
export type TaskReader = (probabilities: Float32Array, offset: number) => Readonly<Record<string, number>>;

/**
 * A reader of rows with these tasks; JSON has no NaN, so a task that is no finite number reads 0.
 *
 * Written as code, once a plan, because names that stand in the code give every row one hidden class: 200 rows of
 * three tasks take 2 us, where storing each under a name from a list takes 7, or 300 to 580 in the runs in which V8
 * does not optimise that (Node 24, same run, interleaved).
 */
export function taskReader(tasks: readonly string[]): TaskReader {
  const fields = tasks.map((task, column) => {
    // In brackets it is a name like any other, without them it would set the prototype.
    const name = task === "__proto__" ? '["__proto__"]' : JSON.stringify(task);
    return `${name}: Number.isFinite(p[o + ${column}]) ? p[o + ${column}] : 0`;
  });
  return new Function("p", "o", `return { ${fields.join(", ")} };`) as TaskReader;
}
