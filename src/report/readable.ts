/**
 * The report with names that can be shown. They come out of experiment documents, tables and logs, and may hold
 * anything: on a terminal a control character moves the cursor or paints the screen, and both there and on a page a
 * character of the bidirectional algorithm lets a text read as what it is not.
 */
import type { AnalysisReport } from "../analysis/analysis.ts";

/** For a terminal, which is left to place right-to-left letters as it can. */
export function readable(report: AnalysisReport): AnalysisReport {
  return withTexts(report, (text) => text.replaceAll(unshowable, "\ufffd"));
}

/**
 * For a page: each name with right-to-left letters is isolated besides, also within a sentence. Without that the numbers
 * behind it would change places with it.
 * https://www.w3.org/International/questions/qa-bidi-unicode-controls
 */
export function readableIsolated(report: AnalysisReport): AnalysisReport {
  const shown = readable(report);
  const names = [...namesOf(shown)].filter((name) => rightToLeft.test(name));
  if (names.length === 0) return shown;
  const longestFirst = names.sort((a, b) => b.length - a.length);
  const anyName = new RegExp(longestFirst.map(escaped).join("|"), "gu");
  return withTexts(shown, (text) => text.replaceAll(anyName, "\u2068$&\u2069"));
}

/** Control characters, ends of lines, and what orders, embeds, overrides or isolates directions. */
const unshowable = /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** The blocks of right-to-left scripts: https://www.unicode.org/reports/tr9/, class R and AL by default. */
const rightToLeft = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

const nameKeys = new Set([
  "experiment",
  "unit",
  "arm",
  "versus",
  "metric",
  "attribute",
  "level",
  "covariate",
]);

function namesOf(value: unknown, names = new Set<string>()): Set<string> {
  if (typeof value !== "object" || value === null) return names;
  for (const [key, inner] of Object.entries(value)) {
    if (typeof inner === "string" && nameKeys.has(key)) names.add(inner);
    namesOf(inner, names);
  }
  return names;
}

function escaped(name: string): string {
  return name.replaceAll(/[\\^$.*+?()[\]{}|/]/gu, "\\$&");
}

/** Keys are mapped as well: the weights of a policy stand under the names of arms. */
function withTexts<T>(value: T, map: (text: string) => string): T {
  if (typeof value === "string") return map(value) as T;
  if (Array.isArray(value)) return value.map((one) => withTexts(one, map)) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [map(key), withTexts(inner, map)]),
  ) as T;
}
