/** What the showing of a report offers to the other rooms: a report in, text for a terminal or a page out. */
export { renderReport } from "./render.ts";
export { renderOverview } from "./render-overview.ts";
export { renderPage } from "./render-page.ts";
export { renderPower } from "./render-power.ts";
