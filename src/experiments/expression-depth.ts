/**
 * Brackets within each other: hardly anybody writes five. The library's parser looks at what is open at an expression's
 * end again and again: 700 unclosed ones took it up to three seconds, on a thread that answers.
 */
const depthMax = 100;

/** Texts, raw ones first, and comments: a bracket in them is none. */
const quoted =
  /[rR][bB]?(?:'''[\s\S]*?'''|"""[\s\S]*?"""|'[^'\n]*'|"[^"\n]*")|'''(?:\\[\s\S]|[^\\])*?'''|"""(?:\\[\s\S]|[^\\])*?"""|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|\/\/[^\n]*/g;

/** Whether an expression of CEL is nested more deeply than its parser should be given. */
export function isNestedTooDeeply(expression: string): boolean {
  let depth = 0;
  for (const [bracket] of expression.replaceAll(quoted, "").matchAll(/[()[\]{}]/g)) {
    depth += "([{".includes(bracket) ? 1 : -1;
    if (depth > depthMax) return true;
  }
  return false;
}
