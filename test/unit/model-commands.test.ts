import { expect, test } from "vitest";
import { SetlistError } from "../../src/domain/error.ts";
import type { ModelCommand } from "../../src/processes/model-command.ts";
import { ModelCommands } from "../../src/processes/model-commands.ts";
import { EndedError } from "../../src/processes/processes.ts";

const version = (kind: "load" | "unload", number: string): ModelCommand => ({
  kind,
  version: { name: "home-kd", version: number },
});
const label = (to: string): ModelCommand => ({
  kind: "label",
  label: { name: "home-kd", label: "stable", version: to },
  who: "ada",
});

/** Processes that note what they are told to do, and refuse on demand. */
async function commandsOf(...numbers: number[]) {
  const warnings: string[] = [];
  const commands = new ModelCommands((message) => warnings.push(message));
  const told = new Map<number, string[]>();
  const refusals = new Map<number, SetlistError>();
  const join = (number: number): Promise<void> => {
    const words: string[] = [];
    told.set(number, words);
    return commands.join(number, async (command) => {
      const refusal = refusals.get(number);
      if (refusal !== undefined) throw refusal;
      words.push(
        command.kind === "label"
          ? `label ${command.label.version}`
          : `${command.kind} ${command.version.version}`,
      );
    });
  };
  for (const number of numbers) await join(number);
  return { commands, told, refusals, join, warnings };
}

test("what one process is asked for, every process does, in one order", async () => {
  const { commands, told } = await commandsOf(1, 2, 3);
  await Promise.all([commands.give(2, version("load", "2")), commands.give(3, label("2"))]);
  expect([...told.values()]).toEqual(Array.from({ length: 3 }, () => ["load 2", "label 2"]));
});

test("what the process that was asked refuses, nobody does", async () => {
  const { commands, told, refusals } = await commandsOf(1, 2);
  refusals.set(1, new SetlistError("ABORTED", "a label needs it"));
  await expect(commands.give(1, version("unload", "1"))).rejects.toMatchObject({ code: "ABORTED" });
  expect(told.get(2)).toEqual([]);
});

test("where another process does not follow, the answer names it and why", async () => {
  const { commands, refusals } = await commandsOf(1, 2, 3);
  refusals.set(3, new SetlistError("INVALID_ARGUMENT", "no memory"));
  const refusal = commands.give(1, version("load", "2"));
  await expect(refusal).rejects.toMatchObject({ code: "UNAVAILABLE" });
  await expect(refusal).rejects.toThrow("done in process 1, but process 3 does not: no memory");
});

test("a process that ends meanwhile is no refusal: its replacement is told", async () => {
  const { commands, told, join } = await commandsOf(1);
  // Its channel ends first, and that it is gone is known later.
  await commands.join(2, () => Promise.reject(new EndedError()));
  await commands.give(1, version("load", "2"));
  commands.leave(2);
  await join(3);
  expect(told.get(3)).toEqual(["load 2"]);
});

test("a process that ends before its turn to join came is asked for nothing", async () => {
  const { commands, told, join } = await commandsOf(1);
  await commands.give(1, version("load", "2"));
  const joining = join(2);
  commands.leave(2);
  await joining;
  await commands.give(1, version("load", "3"));
  expect(told.get(2)).toEqual([]);
});

test("a process that comes later is told the last of each version and label, labels behind what they stand on", async () => {
  const { commands, told, join } = await commandsOf(1);
  await commands.give(1, label("1"));
  await commands.give(1, version("load", "3"));
  await commands.give(1, version("load", "2"));
  await commands.give(1, label("2"));
  await commands.give(1, version("unload", "3"));
  await join(2);
  expect(told.get(2)).toEqual(["load 2", "label 2", "unload 3"]);
});

test("what a later process cannot follow is a warning, but for an unload of what it never loaded", async () => {
  const { commands, refusals, join, warnings } = await commandsOf(1);
  await commands.give(1, version("unload", "1"));
  refusals.set(2, new SetlistError("NOT_FOUND", "not loaded"));
  await join(2);
  expect(warnings).toEqual([]);
  refusals.delete(2);
  await commands.give(1, version("load", "2"));
  refusals.set(3, new SetlistError("INVALID_ARGUMENT", "broken"));
  await join(3);
  expect(warnings).toHaveLength(2);
});
