/** A relation's query, under the name by which later ones read it. */
export interface Relation {
  readonly name: string;
  readonly query: string;
  /** Worked out once, since several read it; a view otherwise. */
  readonly kept: boolean;
}

export function view(name: string, query: string): Relation {
  return { name, query, kept: false };
}

export function table(name: string, query: string): Relation {
  return { name, query, kept: true };
}
