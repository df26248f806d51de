/** The documents point at things that are there. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { docs, pages, pageText, projectRoot as root } from "../support/document-pages.ts";

/** The text without its fenced examples, in which brackets are no links and `#` no headings. */
function proseOf(page: string): string {
  return pageText(page).replaceAll(/^```[\s\S]*?^```$/gm, "");
}

/** Targets of `[text](target)`, `![text](target)` and `<img src="target">`, those of the web left out. */
function relativeLinks(prose: string): string[] {
  const targets = [...prose.replaceAll(/`[^`\n]*`/g, "").matchAll(/\]\(([^)\s]+)\)|<img src="([^"]+)"/g)].map(
    ([, to, image]) => to ?? image ?? "",
  );
  return targets.filter((target) => !/^[a-z]+:/.test(target));
}

/** A heading's anchor as GitHub makes it: small letters, no punctuation, hyphens for spaces. */
function anchorsOf(prose: string): string[] {
  return [...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** Why the link leads nowhere. */
function broken(page: string, link: string): string[] {
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? page : relative(root, resolve(root, dirname(page), decodeURI(path)));
  if (!existsSync(join(root, target))) return [`${page}: ${link}: there is no ${target}`];
  if (anchor === undefined || !target.endsWith(".md")) return [];
  return anchorsOf(proseOf(target)).includes(anchor)
    ? []
    : [`${page}: ${link}: no such heading in ${target}`];
}

test("the front page leads to the index, and the index to every page", () => {
  expect(relativeLinks(proseOf("README.md"))).toContain("docs/README.md");
  const listed = relativeLinks(proseOf("docs/README.md")).map((link) => `docs/${link.split("#")[0]}`);
  expect(docs.length).toBeGreaterThan(20);
  expect(listed).toEqual(expect.arrayContaining(docs.filter((page) => page !== "docs/README.md")));
});

test.each(pages)("each relative link of %s leads to a file, and to a heading where it names one", (page) => {
  expect(relativeLinks(proseOf(page)).flatMap((link) => broken(page, link))).toEqual([]);
});

describe("the check itself", () => {
  test("finds a missing file and a missing heading", () => {
    expect(broken("docs/api.md", "no-such-page.md")).toHaveLength(1);
    expect(broken("README.md", "docs/statistics.md#no-such-heading")).toHaveLength(1);
    expect(broken("README.md", "docs/statistics.md#difference-welchs-test")).toEqual([]);
  });

  test("reads links and images, neither examples in code nor the web", () => {
    const prose = '[a](b.md#c) ![d](e.png) <img src="f.png" width="1"> [g](https://h) `[i](j)`';
    expect(relativeLinks(prose)).toEqual(["b.md#c", "e.png", "f.png"]);
  });
});

test("every page that the code names is there", () => {
  const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" });
  const named = sources
    .filter((name) => name.endsWith(".ts"))
    .flatMap((name) => readFileSync(join(root, "src", name), "utf8").match(/docs\/[\w-]+\.md/g) ?? []);
  expect(named).toContain("docs/statistics.md");
  expect([...new Set(named)].filter((page) => !existsSync(join(root, page)))).toEqual([]);
});
