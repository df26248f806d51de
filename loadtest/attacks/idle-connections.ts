import { setTimeout as delay } from "node:timers/promises";
import { residentMib } from "../process-figures.ts";
import { type Attack, atATime } from "./attack.ts";
import { openRaw, type RawConnection } from "./raw-connection.ts";

/** After that both doors have ended a connection on which nothing comes: 75 s, and 80 s for a sign of life. */
const endedAfterSeconds = 85;

/** Connections that say nothing, read nothing and do not close: of hosts that have vanished there are no others. */
function idle(door: "HTTP" | "gRPC"): Attack {
  return {
    name: `idle connections, ${door}`,
    async run(victim, { connections, holdSeconds }) {
      const port = door === "HTTP" ? victim.httpPort : victim.grpcPort;
      const before = residentMib(victim.pid);
      const all: RawConnection[] = [];
      let refused = 0;
      await atATime(connections, 64, async (place) => {
        // Each address has its own 28,000 ephemeral ports.
        const one = await openRaw(port, `127.0.0.${2 + (place % 8)}`).catch(() => undefined);
        if (one === undefined) refused++;
        else all.push(one);
      });
      await delay(2_000);
      const open = all.filter((one) => one.isOpen()).length;
      const kib = ((residentMib(victim.pid) - before) * 1_024) / Math.max(1, open);
      await delay(holdSeconds * 1_000);
      const left = all.filter((one) => one.isOpen()).length;
      for (const one of all) one.destroy();
      return {
        sent: `${connections}: ${open} taken, ${connections - open - refused} closed at once, ${kib.toFixed(0)} KiB each; ${left} after ${holdSeconds} s`,
        findings: holdSeconds >= endedAfterSeconds && left > 0 ? [`${left} were kept`] : [],
      };
    },
  };
}

export const idleConnections: readonly Attack[] = [idle("HTTP"), idle("gRPC")];
