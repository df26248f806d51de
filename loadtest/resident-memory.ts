/** A server's resident memory in MiB, as its metrics say. */
export async function residentMib(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const bytes = /^process_resident_memory_bytes(?:\{.*\})? (\S+)/m.exec(metrics)?.[1];
  if (bytes === undefined) throw new Error(`expected process_resident_memory_bytes in ${url}/metrics`);
  return Number(bytes) / 2 ** 20;
}
