/** Commands, flags, scripts, settings and variables that the documents name are there. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { setlistProgram } from "../../src/cli/cli.ts";
import { settings } from "../../src/config/environment.ts";
import { namedIn, pages, pageText, projectRoot } from "../support/document-pages.ts";

const program = setlistProgram();

/** Why `setlist <line>` is wrong usage, as far as names go. */
function wrongIn(line: string): string[] {
  const words = line.split(/\s+/);
  let command: Command = program;
  for (const word of words) {
    const sub = command.commands.find((each) => each.name() === word);
    if (sub === undefined) break;
    command = sub;
  }
  if (command === program) return [`setlist ${words[0]}: no such command`];
  const flags = words.filter((word) => /^--[a-z]/.test(word)).map((word) => word.split("=")[0] ?? "");
  const known = ["--help", ...command.options.flatMap(({ long }) => long ?? [])];
  return flags.filter((flag) => !known.includes(flag)).map((flag) => `setlist ${command.name()}: no ${flag}`);
}

/** `setlist …` of examples and of prose, up to what is no part of the command; continued lines are one. */
const commandLines = /(?:^|[`\s])setlist ((?:[a-z]+(?:-[a-z]+)*)(?:(?:[ ]|\s*\\\n\s*)[^\s`#|&;()]+)*)/gm;

const scripts = Object.keys(JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8")).scripts);

test("commands and flags are those of the command line", () => {
  const lines = namedIn(
    pages.filter((page) => page !== "CHANGELOG.md"),
    commandLines,
  ).filter(
    ({ named: [line = ""] }) =>
      line.includes("--") || program.commands.some((each) => each.name() === line.split(" ")[0]),
  );
  expect(lines.length).toBeGreaterThan(100);
  const wrong = lines.flatMap(({ page, named: [line = ""] }) =>
    wrongIn(line.replaceAll(/\\\n/g, " ")).map((fault) => `${page}: ${fault}`),
  );
  expect(wrong).toEqual([]);
});

describe("the check itself", () => {
  test("finds a flag and a command that are not there", () => {
    expect(wrongIn("experiments update x.yaml --trafic 1")).toEqual(["setlist update: no --trafic"]);
    expect(wrongIn("analyse --experiment x")).toEqual(["setlist analyse: no such command"]);
    expect(wrongIn("serve --data-dir data --processes 2")).toEqual([]);
  });
});

test("npm's scripts are those of package.json", () => {
  const named = namedIn(pages, /npm run (?:--silent )?([a-z][a-z:-]*)/g);
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter(({ named: [script = ""] }) => !scripts.includes(script))).toEqual([]);
});

test("docs/configuration.md has a row for each setting, with its variable", () => {
  const rows = namedIn(["docs/configuration.md"], /^\| `([\w.]+)` \| `(SETLIST_\w+)` \|/gm);
  expect(rows.map(({ named }) => named.join(" ")).sort()).toEqual(
    settings.map(({ path, variable }) => `${path.join(".")} ${variable}`).sort(),
  );
});

test("settings and variables that other pages name are there", () => {
  const sections = new Set(settings.flatMap(({ path }) => (path.length > 1 ? path[0] : [])));
  const known = settings.map(({ path }) => path.join("."));
  const described = pageText("docs/configuration.md");
  const keys = namedIn(pages, /`([a-z][A-Za-z]+(?:\.[A-Za-z]+)+)[`:]/g).filter(
    ({ named: [key = ""] }) => sections.has(key.split(".")[0]) && !/\.(ts|py|md|sqlite|json|lmdb)$/.test(key),
  );
  expect(keys.length).toBeGreaterThan(50);
  const unknown = keys.filter(
    ({ named: [key = ""] }) =>
      !known.some((each) => each === key || each.startsWith(`${key}.`)) && !described.includes(`| \`${key}`),
  );
  expect(unknown).toEqual([]);

  const variables = namedIn(pages, /\b(SETLIST_[A-Z_]*[A-Z])\b/g);
  const others = ["SETLIST_CONFIG", "SETLIST_LOG_USER_ID_KEY", "SETLIST_HTTP_PROT"];
  expect(
    variables.filter(
      ({ named: [name = ""] }) =>
        !others.includes(name) && !settings.some(({ variable }) => variable === name),
    ),
  ).toEqual([]);
});
