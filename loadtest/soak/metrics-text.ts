/** One line of Prometheus' text format. */
export interface MetricLine {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The lines of a scrape, in their order; comments are left out. */
export function readMetrics(text: string): MetricLine[] {
  return text.split("\n").flatMap((line) => {
    const [, name, labels = "", value] = /^([a-z]\w*)(?:\{(.*)\})? (\S+)$/i.exec(line) ?? [];
    if (name === undefined) return [];
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
    return [
      {
        name,
        labels: Object.fromEntries(pairs.map(([, label, text]) => [label as string, text as string])),
        value: Number(value),
      },
    ];
  });
}

/** The one value of a metric without labels; 0 where it is not there. */
export function metricValue(lines: readonly MetricLine[], name: string): number {
  return lines.find((line) => line.name === name)?.value ?? 0;
}
