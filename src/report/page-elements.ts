/** What a page is built of: elements of a DOM of its own, in which no text can be taken for markup. */
import { plot } from "@observablehq/plot";
import { parseHTML } from "linkedom";

/** An element, as far as a page needs it. */
export interface PageElement {
  innerHTML: string;
  getAttribute(name: string): string | null;
  setAttribute(name: string, value: string): void;
  append(...content: (PageElement | string)[]): void;
  toString(): string;
}

/** A string is text, whatever it holds, in all elements but title and style, script and textarea; null is nothing. */
export type Content = PageElement | string | null;

export type ChartOptions = Omit<NonNullable<Parameters<typeof plot>[0]>, "document" | "className" | "width">;

export interface PageBuilder {
  element(name: string, attributes: Readonly<Record<string, string>>, ...content: Content[]): PageElement;
  /** A drawing with a text for those who cannot see it, and a caption. It is as wide as its panel. */
  chart(label: string, options: ChartOptions, ...caption: Content[]): PageElement;
}

/** A table that scrolls within its panel where it is wider. */
export function tableOf(
  page: PageBuilder,
  head: readonly string[],
  rows: readonly PageElement[],
): PageElement {
  return page.element(
    "div",
    { class: "scroll" },
    page.element(
      "table",
      {},
      page.element(
        "thead",
        {},
        page.element("tr", {}, ...head.map((title) => page.element("th", {}, title))),
      ),
      page.element("tbody", {}, ...rows),
    ),
  );
}

/** The first cell is a name of any length, the others are numbers. */
export function tableRow(page: PageBuilder, [name = "", ...numbers]: readonly string[]): PageElement {
  return page.element(
    "tr",
    {},
    page.element("td", { class: "name" }, name),
    ...numbers.map((number) => page.element("td", { class: "number" }, number)),
  );
}

/** Panels in their order, two beside each other; one that would have nothing beside it has the line for itself. */
export function panelGrid(page: PageBuilder, panels: readonly (PageElement | null)[]): PageElement {
  const shown = panels.filter((panel) => panel !== null);
  let isHalfFull = false;
  for (const [at, panel] of shown.entries()) {
    const isWide = isWidePanel(panel);
    const next = shown[at + 1];
    if (!isWide && !isHalfFull && (next === undefined || isWidePanel(next)))
      panel.setAttribute("class", "panel alone");
    else isHalfFull = !isWide && !isHalfFull;
  }
  return page.element("div", { class: "panels" }, ...shown);
}

function isWidePanel(panel: PageElement): boolean {
  return panel.getAttribute("class")?.includes("wide") ?? false;
}

/** The first panels, and the others behind a line that opens: nobody reads a dozen of one kind. */
export function foldedPanels(
  page: PageBuilder,
  panels: readonly PageElement[],
  what: string,
  panelsMax = 4,
): PageElement[] {
  const more = panels.slice(panelsMax);
  if (more.length === 0) return [...panels];
  return [
    ...panels.slice(0, panelsMax),
    page.element(
      "details",
      { class: "wide" },
      page.element("summary", {}, `${what}: ${more.length} more`),
      panelGrid(page, more),
    ),
  ];
}

/** In SVG's units: a panel of a phone is about three quarters as wide, and the text still legible. */
export const chartWidth = 440;
const fontSize = "13px";

export function pageBuilder(): PageBuilder {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const element: PageBuilder["element"] = (name, attributes, ...content) => {
    const made = document.createElement(name) as PageElement;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...content.filter((one) => one !== null));
    return made;
  };
  return {
    element,
    chart(label, options, ...caption) {
      const drawing = plot({
        marginTop: 30,
        marginLeft: 56,
        marginRight: 26,
        marginBottom: 46,
        ...options,
        style: { fontSize, overflow: "hidden" },
        document,
        className: "chart",
        width: chartWidth,
      }) as unknown as PageElement;
      drawing.setAttribute("role", "img");
      drawing.setAttribute("aria-label", label);
      return element(
        "figure",
        {},
        drawing,
        caption.length === 0 ? null : element("figcaption", {}, ...caption),
      );
    },
  };
}
