import { invalidArgument, messageOf } from "../domain/error.ts";
import { type Expr, entityOf, type Parsed, placeOf } from "./targeting-check.ts";
import { targetingTextMax } from "./targeting-input.ts";
import { compiledPattern } from "./targeting-pattern.ts";

/** Nodes that are evaluated for one request at the worst, of about 30 ns each: a request's thread answers others too. */
const stepsMax = 100_000;
/** Levels of the parsed expression; every level is a call deeper on the stack, of requests too. */
const depthMax = 250;
/** Attributes of one entity, at the most that anyone configures. */
const entriesAssumed = 256;
/** Characters or elements that are compared, joined or matched in the time of one node. */
const unitsAStep = 64;

/** At the worst: what it takes, and how many characters or elements it is. */
interface Cost {
  readonly steps: number;
  readonly size: number;
}

type Kind<Case> = Extract<Expr["exprKind"], { case: Case }>["value"];
type Sizes = ReadonlyMap<string, number>;

/**
 * Refuses what could take long for one request, whatever the request says. Macros may nest, and `+` in a macro may
 * double what it is given: 200 characters are enough for hours, or for all memory.
 * @throws {SetlistError} INVALID_ARGUMENT with what is too much.
 */
export function checkTargetingCost(parsed: Parsed): void {
  const { steps } = new Scales(parsed).weigh(parsed.expr, new Map(), 0);
  if (steps <= stepsMax) return;
  throw invalidArgument(
    `targeting: expected at most ${stepsMax} steps for one request, could take ${steps.toPrecision(3)}: nest macros less, or make their lists and patterns shorter`,
  );
}

class Scales {
  readonly #parsed: Parsed;

  constructor(parsed: Parsed) {
    this.#parsed = parsed;
  }

  weigh(expr: Expr | undefined, sizes: Sizes, depth: number): Cost {
    if (depth > depthMax) throw invalidArgument("targeting: not a CEL expression: nested too deeply");
    const kind = expr?.exprKind;
    switch (kind?.case) {
      case "constExpr": {
        const { value } = kind.value.constantKind;
        return { steps: 1, size: typeof value === "string" ? value.length : 1 };
      }
      case "identExpr":
        return { steps: 1, size: sizes.get(kind.value.name) ?? entriesAssumed * targetingTextMax };
      case "selectExpr":
        return partOf(kind.value.operand, this.weigh(kind.value.operand, sizes, depth + 1), sizes);
      case "callExpr":
        return this.#called(expr as Expr, kind.value, sizes, depth + 1);
      case "listExpr":
        return sum(kind.value.elements.map((element) => this.weigh(element, sizes, depth + 1)));
      case "structExpr":
        return sum(
          kind.value.entries.flatMap(({ keyKind, value }) => [
            ...(keyKind.case === "mapKey" ? [this.weigh(keyKind.value, sizes, depth + 1)] : []),
            this.weigh(value, sizes, depth + 1),
          ]),
        );
      case "comprehensionExpr":
        return this.#comprehension(expr as Expr, kind.value, sizes, depth + 1);
      default:
        return { steps: 1, size: 1 };
    }
  }

  #called(expr: Expr, { function: name, target, args }: Kind<"callExpr">, sizes: Sizes, depth: number): Cost {
    const costs = [...(target === undefined ? [] : [target]), ...args].map((one) =>
      this.weigh(one, sizes, depth),
    );
    const [first = nothing, second = nothing, third = nothing] = costs;
    const all = sum(costs);
    switch (name) {
      case "_[_]":
        return { ...partOf(args[0], first, sizes), steps: all.steps };
      case "_?_:_":
        return { steps: all.steps, size: Math.max(second.size, third.size) };
      case "matches":
        return {
          steps: all.steps + (first.size / unitsAStep) * this.#patternWeight(expr, args.at(-1)),
          size: 1,
        };
      default:
        return { steps: all.steps + all.size / unitsAStep, size: all.size };
    }
  }

  /** Counted repetitions are written out by the engine. */
  #patternWeight(expr: Expr, pattern: Expr | undefined): number {
    const constant = pattern?.exprKind.case === "constExpr" ? pattern.exprKind.value.constantKind : undefined;
    if (constant?.case !== "stringValue") {
      return this.#refuse(expr, "expected the pattern of matches as a text: it is compiled once");
    }
    const { value } = constant;
    try {
      compiledPattern(value);
    } catch (error) {
      return this.#refuse(expr, `not a pattern: ${messageOf(error)}`);
    }
    const counts = [...value.matchAll(/\{(\d+)(?:,(\d*))?\}/g)].map(([, from, to]) => Number(to || from));
    return (
      value.length *
      Math.max(
        1,
        counts.reduce((total, count) => total + count, 0),
      )
    );
  }

  #comprehension(expr: Expr, macro: Kind<"comprehensionExpr">, sizes: Sizes, depth: number): Cost {
    const range = this.weigh(macro.iterRange, sizes, depth);
    const rounds = this.#rounds(expr, macro.iterRange, sizes);
    const start = this.weigh(macro.accuInit, sizes, depth);
    // What a round adds shows where nothing was gathered before it: no macro of CEL's reads that twice.
    const element = entityOf(macro.iterRange, sizes) === undefined ? range.size : targetingTextMax;
    const inner = new Map(sizes).set(macro.accuVar, 0).set(macro.iterVar, element);
    if (macro.iterVar2 !== "") inner.set(macro.iterVar2, element);
    const condition = this.weigh(macro.loopCondition, inner, depth);
    const step = this.weigh(macro.loopStep, inner, depth);
    const gathered = new Map(sizes).set(macro.accuVar, start.size + rounds * step.size);
    const result = this.weigh(macro.result, gathered, depth);
    return {
      steps: range.steps + start.steps + rounds * (condition.steps + step.steps) + result.steps,
      size: result.size,
    };
  }

  #rounds(expr: Expr, range: Expr | undefined, sizes: Sizes): number {
    if (range?.exprKind.case === "listExpr") return range.exprKind.value.elements.length;
    if (range?.exprKind.case === "structExpr") return range.exprKind.value.entries.length;
    if (entityOf(range, sizes) !== undefined) return entriesAssumed;
    return this.#refuse(expr, "expected a list or a map that is written out before a macro such as exists");
  }

  #refuse(expr: Expr, what: string): never {
    throw invalidArgument(`targeting: ${placeOf(this.#parsed, expr)}${what}`);
  }
}

/** One attribute is no longer than an attribute may be; of anything else it may be all. */
function partOf(whole: Expr | undefined, { steps, size }: Cost, sizes: Sizes): Cost {
  return { steps: steps + 1, size: entityOf(whole, sizes) === undefined ? size : targetingTextMax };
}

const nothing: Cost = { steps: 0, size: 0 };

function sum(costs: readonly Cost[]): Cost {
  return costs.reduce((all, one) => ({ steps: all.steps + one.steps, size: all.size + one.size }), {
    steps: 1,
    size: 1,
  });
}
