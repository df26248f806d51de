import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** @throws {Error} where there is no Chromium. */
export async function startChromium(): Promise<Browser> {
  const executablePath = installed();
  if (executablePath === undefined) throw new Error(message);
  // Root has no user namespace to put a sandbox into; the pages are our own.
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return await chromium.launch({ executablePath, args });
}

const message = `none of ${places.join(", ")} is there; install it with: apt-get install -y --no-install-recommends chromium`;

/** What is to be done where there is no Chromium; undefined where there is one. */
export function missingChromium(): string | undefined {
  return installed() === undefined ? message : undefined;
}

function installed(): string | undefined {
  return places.find((place) => existsSync(place));
}
