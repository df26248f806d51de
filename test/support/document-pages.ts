/** The pages for users, by their path in the project. */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const projectRoot = resolve(import.meta.dirname, "../..");

/** Pages of `docs/`, the index among them. */
export const docs: readonly string[] = readdirSync(join(projectRoot, "docs"))
  .filter((name) => name.endsWith(".md"))
  .map((name) => `docs/${name}`);

export const pages: readonly string[] = ["README.md", "CHANGELOG.md", "models/README.md", ...docs];

export function pageText(page: string): string {
  return readFileSync(join(projectRoot, page), "utf8");
}

/** The groups of every match, with the page that it is of. */
export function namedIn(of: readonly string[], pattern: RegExp): { page: string; named: string[] }[] {
  return of.flatMap((page) =>
    [...pageText(page).matchAll(pattern)].map(([, ...named]) => ({
      page,
      named: named.map((name = "") => name),
    })),
  );
}
