import type { AnalysisReport } from "../analysis/analysis.ts";
import { shortened } from "../domain/number-text.ts";
import type { PageBuilder, PageElement } from "./page-elements.ts";

/** As many as the page's style has; the eye would not tell more apart. */
const colours = 6;

export function armColour(report: AnalysisReport, arm: string): string {
  const place = report.arms.findIndex((one) => one.arm === arm);
  return `var(--arm${Math.max(0, place) % colours})`;
}

/** Which colour is which arm, of those that are `shown`. */
export function armKey(page: PageBuilder, report: AnalysisReport, shown: ReadonlySet<string>): PageElement {
  const entries = report.arms.flatMap(({ arm }) =>
    shown.has(arm)
      ? [
          page.element(
            "span",
            {},
            page.element("i", { style: `background:${armColour(report, arm)}` }),
            shortened(arm, 30),
          ),
        ]
      : [],
  );
  return page.element("div", { class: "key" }, ...entries);
}
