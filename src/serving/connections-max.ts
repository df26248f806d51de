/** More sockets than that, at about 20 kB each, are no clients but a fault or an attack. */
const connectionsMaxDefault = 8_192;

/** Descriptors for all but connections: the log, stores, models, workers, and what starting a process takes. */
const descriptorsKept = 256;

/**
 * Connections of one of the two ports. Where the system grants few file descriptors, so few that the rest of the
 * server keeps its own: a log that cannot open its next segment would be the price of idle clients.
 */
export function connectionsMax(descriptors = grantedDescriptors()): number {
  return Math.max(16, Math.min(connectionsMaxDefault, Math.floor((descriptors - descriptorsKept) / 2)));
}

/** Node raises it to what the system allows before it runs us. */
function grantedDescriptors(): number {
  // Of Node 22 and later; the types do not know it yet. Without it, peers' names would be looked up.
  const report = process.report as typeof process.report & { excludeNetwork: boolean };
  report.excludeNetwork = true;
  const { userLimits } = report.getReport() as { userLimits?: { open_files?: { soft?: number | string } } };
  const soft = Number(userLimits?.open_files?.soft);
  return Number.isNaN(soft) ? Number.POSITIVE_INFINITY : soft;
}
