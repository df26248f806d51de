/**
 * What `work`, which waits for nothing, costs this process, ms: the same however long others keep it from the processor.
 */
export function cpuMsOf(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
