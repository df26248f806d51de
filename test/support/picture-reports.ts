/**
 * `node test/support/picture-reports.ts`: the pictures of docs/images that show a report's page, drawn anew in Chromium:
 * of a healthy experiment, of one that is not, and of one that somebody looked at before its end.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { renderPage } from "../../src/report/report.ts";
import { startChromium } from "./chromium.ts";
import { madeReport } from "./made-reports.ts";

const images = join(import.meta.dirname, "../../docs/images");
const pictures = [
  { story: "healthy", colorScheme: "light", height: 1_180 },
  { story: "unhealthy", colorScheme: "light", height: 1_180 },
  { story: "peeked", colorScheme: "dark", height: 760 },
] as const;

const folder = await mkdtemp(join(tmpdir(), "setlist-pictures-"));
const browser = await startChromium();
for (const { story, colorScheme, height } of pictures) {
  const file = join(folder, `${story}.html`);
  await writeFile(file, await renderPage(madeReport(story)));
  const page = await browser.newPage({
    viewport: { width: 1_100, height },
    colorScheme,
    deviceScaleFactor: 0.8,
  });
  await page.goto(pathToFileURL(file).href);
  await page.screenshot({ path: join(images, `report-${story}.png`) });
  await page.close();
}
await browser.close();
await rm(folder, { recursive: true });
