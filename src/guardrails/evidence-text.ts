/** Numbers as people read them in a breach. */

export function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}

export function milliseconds(ms: number): string {
  return Number.isFinite(ms) ? `${Number(ms.toPrecision(3))} ms` : "more than a minute";
}

export function whole(count: number): string {
  return count.toLocaleString("en");
}
