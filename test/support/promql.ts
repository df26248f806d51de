import { parser } from "@prometheus-io/lezer-promql";

export interface Reads {
  /** Metrics, with the labels that each is asked for. */
  readonly metrics: readonly { readonly name: string; readonly labels: readonly string[] }[];
  /** Labels by which what comes of them is grouped or matched. */
  readonly grouped: readonly string[];
}

/** @throws where the expression is no PromQL. */
export function readsOf(expression: string): Reads {
  const metrics: { name: string; labels: string[] }[] = [];
  const grouped: string[] = [];
  parser.parse(expression).iterate({
    enter(node) {
      const text = expression.slice(node.from, node.to);
      if (node.type.isError) throw new Error(`no PromQL at "${expression.slice(node.from)}"`);
      if (node.name === "VectorSelector")
        metrics.push({ name: text.split("{")[0]?.trim() ?? "", labels: [] });
      if (node.name === "LabelName") {
        // Within a selector's braces it is asked of that metric, elsewhere of what is grouped or matched.
        const parents: string[] = [];
        for (let up = node.node.parent; up !== null; up = up.parent) parents.push(up.name);
        if (parents.includes("VectorSelector")) metrics.at(-1)?.labels.push(text);
        else grouped.push(text);
      }
    },
  });
  return { metrics, grouped };
}
