/** A process that simulates the parts it is sent. */
import { scenarios } from "./scenarios.ts";
import { type Part, simulator } from "./simulate.ts";

const simulate = simulator(scenarios, process.argv[2] ?? "");

process.on("message", (part: Part) => {
  process.send?.(simulate(part));
});
