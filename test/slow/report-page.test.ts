import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { expect, test } from "vitest";
import type { AnalysisReport } from "../../src/analysis/analysis.ts";
import { renderPage } from "../../src/report/report.ts";
import { describeWithChromium } from "../support/describe-with.ts";
import { type MadeStory, madeInterleaving, madeReport } from "../support/made-reports.ts";
import { oddReport, oddReports } from "../support/odd-reports.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const stories: readonly MadeStory[] = ["healthy", "unhealthy", "peeked"];
const screens = [
  { name: "wide, light", width: 1200, colorScheme: "light" },
  { name: "wide, dark", width: 1200, colorScheme: "dark" },
  { name: "phone, light", width: 390, colorScheme: "light" },
  { name: "phone, dark", width: 390, colorScheme: "dark" },
] as const;

interface Shown {
  readonly page: Page;
  /** Of the console, of errors, and every request but that for the page itself. */
  readonly noise: readonly string[];
}

async function show(
  browser: Browser,
  report: AnalysisReport,
  { width, colorScheme }: (typeof screens)[number],
): Promise<Shown> {
  const file = join(await temporaryFolder(), "report.html");
  await writeFile(file, await renderPage(report));
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
  const noise: string[] = [];
  const url = pathToFileURL(file).href;
  page.on("console", (message) => noise.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => noise.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => {
    noise.push(`dialog: ${dialog.message()}`);
    return dialog.dismiss();
  });
  page.on("request", (request) => {
    if (request.url() !== url) noise.push(`request: ${request.url()}`);
  });
  await page.goto(url);
  return { page, noise };
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

async function boxesOf(page: Page, selector: string): Promise<Box[]> {
  return await page.evaluate(
    `[...document.querySelectorAll(${JSON.stringify(selector)})].map((one) => one.getBoundingClientRect().toJSON())`,
  );
}

/** Half a pixel is rounding. */
function overlap(a: Box, b: Box): boolean {
  const within = (x: number, y: number, width: number, height: number): boolean =>
    x + width > y + 0.5 && y + height > x + 0.5;
  return within(a.x, b.x, a.width, b.width) && within(a.y, b.y, a.height, b.height);
}

function overlaps(boxes: readonly Box[]): [Box, Box][] {
  return boxes.flatMap((a, i) =>
    boxes.slice(i + 1).flatMap((b): [Box, Box][] => (overlap(a, b) ? [[a, b]] : [])),
  );
}

/** Texts of pictures that their frame cuts off; a pixel is rounding. */
async function cutTexts(page: Page): Promise<string[]> {
  return await page.evaluate(`[...document.querySelectorAll("svg.chart text")].flatMap((text) => {
    const [inner, outer] = [text.getBoundingClientRect(), text.closest("svg").getBoundingClientRect()];
    const isCut = inner.width > 0 && (inner.left < outer.left - 1 || inner.right > outer.right + 1);
    return isCut ? [text.textContent] : [];
  })`);
}

/** Where each part of a text begins, in the first element that has all of them. */
async function placesWithin(page: Page, selector: string, parts: readonly string[]): Promise<number[]> {
  return await page.evaluate(`(() => {
    const parts = ${JSON.stringify(parts)};
    const all = [...document.querySelectorAll(${JSON.stringify(selector)})];
    const { firstChild } = all.find((one) => parts.every((part) => one.textContent.includes(part)));
    return parts.map((part) => {
      const range = document.createRange();
      range.setStart(firstChild, firstChild.data.indexOf(part));
      range.setEnd(firstChild, firstChild.data.indexOf(part) + part.length);
      return range.getBoundingClientRect().left;
    });
  })()`);
}

async function boxesOfTexts(page: Page, chart: string, texts: readonly string[]): Promise<Box[]> {
  return await page.evaluate(`[...document.querySelectorAll(${JSON.stringify(`${chart} text`)})]
    .filter((one) => ${JSON.stringify(texts)}.includes(one.textContent))
    .map((one) => one.getBoundingClientRect().toJSON())`);
}

describeWithChromium("the report as a page, in a browser", (browser) => {
  test.each(screens)(
    "$name: panels have room, charts have size, nothing is fetched and nothing fails",
    async (screen) => {
      for (const story of stories) {
        const { page, noise } = await show(browser(), madeReport(story), screen);
        const panels = await boxesOf(page, ".panel");
        expect(panels.length).toBeGreaterThanOrEqual(12);
        expect(overlaps(panels)).toEqual([]);
        expect(panels.filter((box) => box.x < 0 || box.x + box.width > screen.width)).toEqual([]);
        const charts = await boxesOf(page, "svg.chart");
        expect(charts.length).toBeGreaterThanOrEqual(10);
        expect(charts.filter(({ width, height }) => width < 250 || height < 60)).toEqual([]);
        expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(
          0,
        );
        expect(noise).toEqual([]);
        await page.close();
      }
    },
  );

  test("is dark on light where the reader wants it so, and light on dark otherwise", async () => {
    const [light, dark] = await Promise.all(
      screens.slice(0, 2).map(async (screen) => {
        const { page } = await show(browser(), madeReport("healthy"), screen);
        const shot = await page.screenshot({ type: "jpeg", quality: 60 });
        const colours = await page.evaluate(
          "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.querySelector('svg.chart text')).fill]",
        );
        await page.close();
        return { colours, bytes: shot.length };
      }),
    );
    expect(light?.colours).toEqual(["rgb(246, 247, 249)", "rgb(27, 31, 36)"]);
    expect(dark?.colours).toEqual(["rgb(16, 20, 24)", "rgb(232, 236, 241)"]);
    // A blank screenshot of this size has some 8 kB.
    expect(Math.min(light?.bytes ?? 0, dark?.bytes ?? 0)).toBeGreaterThan(30_000);
  });

  test("says the verdict in words, and gives green only to what is decided", async () => {
    const wide = screens[0];
    const read = async (story: MadeStory): Promise<{ verdict: string | null; green: number }> => {
      const { page } = await show(browser(), madeReport(story), wide);
      const verdict = await page.locator(".verdict").textContent();
      const green = await page
        .locator('svg.chart [fill="var(--good)"], svg.chart [stroke="var(--good)"]')
        .count();
      await page.close();
      return { verdict, green };
    };
    const healthy = await read("healthy");
    expect(healthy.verdict).toMatch(/^Betterkd is better than control on completions: \+8\.57 %/);
    expect(healthy.green).toBeGreaterThan(0);
    const unhealthy = await read("unhealthy");
    expect(unhealthy.verdict).toMatch(/^No verdict: unhealthyDo not decide on these numbers/);
    expect(unhealthy.verdict).toContain("Likely cause: the split is most surely off on day 10");
    expect(unhealthy.green).toBe(0);
    const peeked = await read("peeked");
    expect(peeked.verdict).toMatch(/^No verdict: too earlyToo early for a verdict\./);
    expect(peeked.verdict).toContain("so it may be none");
    expect(peeked.green).toBe(0);
  });

  test("shows of an interleaving which arm is preferred, and no split, which it has not", async () => {
    const { page, noise } = await show(browser(), madeInterleaving(), screens[2]);
    expect(await page.locator(".verdict").textContent()).toMatch(
      /^Betterkd is preferred to control on completions/,
    );
    const titles = await page.locator("h2").allTextContents();
    expect(titles).toEqual(["Preference for kd over control", "Health", "How these numbers are made"]);
    expect(await page.getByLabel("Units of each arm").count()).toBe(0);
    expect(await page.getByText("1,200 units, 2,400 lists").count()).toBe(1);
    expect(noise).toEqual([]);
    await page.close();
  });

  test("shows triggered requests and other weights where the analysis has them", async () => {
    const made = madeReport("healthy");
    const [first] = made.metrics[0]?.comparisons ?? [];
    const absolute = first?.absolute ?? { estimate: 0, ciLow: 0, ciHigh: 0 };
    const report: AnalysisReport = {
      ...made,
      trigger: {
        comparisons: [
          {
            ...{ arm: "kd", versus: "control", requests: { compared: 9_000, differing: 3_000 }, units: [] },
            srm: { pValue: 0.4, ok: true },
            metrics: [
              {
                metric: "completions",
                arms: [],
                triggered: { absolute, relative: first?.relative ?? null, pValue: 0.001 },
                diluted: { triggerRate: 1 / 3, absolute, relative: first?.relative ?? null },
              },
            ],
          },
        ],
      },
      offPolicy: {
        policies: [
          {
            ...{ weights: { control: 0.1, kd: 0.9 }, requests: 9_000, units: 4_000 },
            ...{ effectiveRequests: 6_000, effectiveUnits: 2_700.4, largestWeight: 1.8 },
            ...{ meanWeight: { estimate: 1, standardError: 0.01 }, unsupportedShare: 0 },
            metrics: [
              {
                metric: "completions",
                ips: { ...absolute, standardError: 0.1 },
                snips: null,
                doublyRobust: null,
              },
            ],
          },
        ],
      },
    };
    const { page, noise } = await show(browser(), report, screens[0]);
    expect(await page.getByText("3,000 of 9,000 compared requests differ (33.3 %)").count()).toBe(1);
    expect(await page.getByText("completions under control 10.0 %, kd 90.0 %").count()).toBe(1);
    expect(await page.getByText("2,700 of 4,000").count()).toBe(1);
    expect(overlaps(await boxesOf(page, ".panel"))).toEqual([]);
    expect(noise).toEqual([]);
    await page.close();
  });

  const odd = Object.entries(oddReports).map(([name, make]) => ({ name, make }));
  test.each(odd)("$name: is whole, light and dark, wide and on a phone", async ({ make }) => {
    for (const screen of screens.slice(1, 3)) {
      const { page, noise } = await show(browser(), make(), screen);
      expect(noise).toEqual([]);
      expect(await page.locator("script, img, b").count()).toBe(0);
      const words = await page.locator(".panel:not(:has(details)), .verdict").allTextContents();
      expect(words.join(" ")).not.toMatch(/NaN|undefined|null|Infinity|∞/);
      expect(await page.content()).not.toMatch(/="[^"]*(NaN|Infinity)[^"]*"/);
      expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
      const panels = await boxesOf(page, ".panel");
      expect(panels.length).toBeGreaterThanOrEqual(5);
      expect(overlaps(panels)).toEqual([]);
      expect(await cutTexts(page)).toEqual([]);
      await page.close();
    }
  });

  test("the numbers behind a right-to-left name stay in their order", async () => {
    const { page } = await show(browser(), oddReport("right-to-left names"), screens[0]);
    const [name = 0, lift = 0] = await placesWithin(page, "svg.chart text", ["השלמות", "+8.63"]);
    expect(lift).toBeGreaterThan(name);
    await page.close();
  });

  test("the arms of a tradeoff are named beside their lift's interval, no name over another", async () => {
    for (const report of [madeReport("healthy"), oddReport("twelve arms")]) {
      const { page } = await show(browser(), report, screens[0]);
      const panel = page.locator(".panel", { has: page.getByText("Quality, latency, cost") });
      expect(await panel.textContent()).toContain(report.verdict?.sentence);
      const names = report.arms.map(({ arm }) => arm);
      const boxes = await boxesOfTexts(page, '[aria-label^="lift of completions against latency"]', names);
      expect(boxes).toHaveLength(names.length);
      expect(overlaps(boxes)).toEqual([]);
      await page.close();
    }
  });

  test("a metric without an interval is named below the plot of those with one", async () => {
    const { page } = await show(browser(), oddReport("one metric without an interval"), screens[0]);
    expect(await page.getByText("No lift can be had of skip rate ↓, plays ↑.").count()).toBe(1);
    await page.close();
  });

  test("a method's name leads to what it is", async () => {
    const { page } = await show(browser(), madeReport("healthy"), screens[0]);
    const targets = await page.evaluate(
      "[...document.querySelectorAll('a')].map((a) => [a.getAttribute('href'), document.querySelectorAll(a.getAttribute('href')).length])",
    );
    expect(targets).not.toEqual([]);
    expect((targets as [string, number][]).filter(([, found]) => found !== 1)).toEqual([]);
    await page.getByRole("link", { name: "always-valid interval" }).first().click();
    await expect.poll(() => page.locator("#always-valid-interval").isVisible()).toBe(true);
    await page.close();
  });

  test("takes no text of an experiment for markup, and no name breaks the page", async () => {
    const hostile = `</title></style><script>alert(1)</script><img src=x onerror="alert(2)">'"&amp;${"w".repeat(200)}`;
    const renamed = JSON.parse(
      JSON.stringify(madeReport("unhealthy"), (_, value) =>
        ["kd", "completions", "home-kd", "country", "SE", "Split by day"].includes(value)
          ? hostile + value
          : value,
      ),
    ) as AnalysisReport;
    for (const screen of screens.slice(1, 3)) {
      const { page, noise } = await show(browser(), { ...renamed, warnings: [hostile] }, screen);
      expect(noise).toEqual([]);
      expect(await page.locator("script, img").count()).toBe(0);
      expect(await page.title()).toBe(`${hostile}home-kd: No verdict: unhealthy`);
      expect(await page.locator("h1").textContent()).toBe(`${hostile}home-kd`);
      expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
      expect(overlaps(await boxesOf(page, ".panel"))).toEqual([]);
      await page.close();
    }
  });

  test("prints without cutting a panel's numbers off", async () => {
    const { page } = await show(browser(), madeReport("healthy"), screens[1]);
    await page.emulateMedia({ media: "print" });
    await page.setViewportSize({ width: 794, height: 1123 });
    expect(await page.evaluate("getComputedStyle(document.body).backgroundColor")).toBe("rgb(255, 255, 255)");
    const cut = await page.evaluate(
      "[...document.querySelectorAll('.scroll')].filter((one) => one.scrollWidth > one.clientWidth + 1).length",
    );
    expect(cut).toBe(0);
    expect((await page.pdf({ format: "A4" })).subarray(0, 5).toString()).toBe("%PDF-");
    await page.close();
  });

  test("shows a report that has nothing but its comparisons and its verdict, and one without any data", async () => {
    const made = madeReport("healthy");
    const { experiment, phase, asOf, alpha, unit, arms, srm, metrics, verdict, health, plan } = made;
    const plain = {
      ...{ experiment, phase, asOf, alpha, unit, arms, srm, verdict, health, plan },
      ...{ excludedUnits: 0, unmatchedOutcomes: 0, lateOutcomes: 0, warnings: [] },
      metrics: metrics.map(({ definition: _, ...metric }) => metric),
    };
    const empty = {
      ...plain,
      arms: arms.map((arm) => ({ ...arm, units: 0 })),
      srm: { ...srm, statistic: null, pValue: null },
      metrics: metrics.map((metric) => ({
        ...metric,
        arms: metric.arms.map((arm) => ({ ...arm, units: 0, mean: null, standardError: null })),
        comparisons: metric.comparisons.map((one) => ({
          ...{ arm: one.arm, versus: one.versus, method: one.method },
          ...({
            absolute: null,
            relative: null,
            pValue: null,
            pValueAdjusted: null,
            cuped: null,
            alwaysValid: null,
            adjusted: { pValue: null, method: "none" },
          } as const),
        })),
      })),
    };
    for (const report of [plain, empty]) {
      const { page, noise } = await show(browser(), report, screens[0]);
      expect(noise).toEqual([]);
      const words = await page.locator(".panel:not(:has(details))").allTextContents();
      expect(words.join(" ")).not.toMatch(/NaN|undefined|null|Infinity/);
      expect(await page.content()).not.toMatch(/="[^"]*(NaN|Infinity)[^"]*"/);
      await page.close();
    }
  });
});
