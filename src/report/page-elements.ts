/** What a page is built of: elements of a DOM of its own, in which no text can be taken for markup. */
import { plot } from "@observablehq/plot";
import { parseHTML } from "linkedom";

/** An element, as far as a page needs it. */
export interface PageElement {
  innerHTML: string;
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

/** In SVG's units: a panel of a phone is about three quarters as wide, and the text still legible. */
const chartWidth = 440;
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
      return element("figure", {}, drawing, element("figcaption", {}, ...caption));
    },
  };
}
