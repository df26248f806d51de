import type { Assignment } from "../domain/assignment.ts";
import type { Impression } from "../domain/impression.ts";
import type { DegradedReason, RankedItem } from "../domain/rank.ts";
import { readInterleaving, writeInterleaving } from "./interleaving-codec.ts";
import type { RecordReader } from "./record-reader.ts";
import type { RecordWriter } from "./record-writer.ts";
import {
  readSentAttributes,
  readSentFeatures,
  writeSentAttributes,
  writeSentFeatures,
} from "./sent-features-codec.ts";
import { readServedFeatures, writeServedFeatures } from "./served-features-codec.ts";

/** Bits of an impression's flags. */
const hasModel = 1;
/** Every probability is a 32-bit float, as models answer, and is kept as one: nothing is lost. */
const narrowTasks = 2;
/** The items stand at positions 1, 2, 3, …, all with the same tasks in the same order: neither is written per item. */
const plainItems = 4;
/** Features that the request sent stand behind the items; from schema version 2. */
const hasSent = 8;
/** How the items were drafted stands behind that; from schema version 4. */
const hasInterleaving = 16;
/** Behind that, in this order: from schema version 5. */
const hasAttributes = 32;
const hasBeyondLimit = 64;
const hasServed = 128;

/** Bits of an assignment's flags. */
const overridden = 1;
const unitIsUser = 2;

/** Writes everything behind the kind; docs/outcome-log-format.md has the layout. */
export function writeImpression(to: RecordWriter, impression: Impression): void {
  const { model, timings, items } = impression;
  to.string(impression.requestId);
  const flagsAt = to.used;
  to.uint8(0);
  to.float64(impression.at);
  to.string(impression.surface);
  to.string(impression.userId);
  if (model !== undefined) {
    to.string(model.name);
    to.string(model.version);
  }
  to.varint(impression.degraded.length);
  for (const reason of impression.degraded) to.string(reason);
  to.float64(timings.assign);
  to.float64(timings.features);
  to.float64(timings.queue);
  to.float64(timings.inference);
  to.float64(timings.rank);
  to.varint(impression.candidateCount);
  to.varint(impression.assignments.length);
  for (const assignment of impression.assignments) writeAssignment(to, assignment, impression.userId);
  to.varint(items.length);
  let flags = writeItems(to, items, 1);
  if (impression.sent !== undefined) {
    writeSentFeatures(to, impression.sent, items.length);
    flags |= hasSent;
  }
  if (impression.interleaving !== undefined) {
    writeInterleaving(to, impression.interleaving);
    flags |= hasInterleaving;
  }
  if (impression.attributes !== undefined) {
    writeSentAttributes(to, impression.attributes);
    flags |= hasAttributes;
  }
  if (impression.beyondLimit !== undefined) {
    writeBeyondLimit(to, impression.beyondLimit, items.length + 1);
    flags |= hasBeyondLimit;
  }
  if (impression.served !== undefined) {
    writeServedFeatures(to, impression.served);
    flags |= hasServed;
  }
  to.uint8At(flagsAt, flags | (model === undefined ? 0 : hasModel));
}

/** @throws {RangeError} where the payload is shorter than it says. */
export function readImpression(from: RecordReader): Impression {
  const requestId = from.string();
  const flags = from.uint8();
  const at = from.float64();
  const surface = from.string();
  const userId = from.string();
  const model = (flags & hasModel) === 0 ? undefined : { name: from.string(), version: from.string() };
  const degraded: DegradedReason[] = [];
  for (let left = from.varint(); left > 0; left--) degraded.push(from.string() as DegradedReason);
  const timings = {
    assign: from.float64(),
    features: from.float64(),
    queue: from.float64(),
    inference: from.float64(),
    rank: from.float64(),
  };
  const candidateCount = from.varint();
  const assignments: Assignment[] = [];
  for (let left = from.varint(); left > 0; left--) assignments.push(readAssignment(from, userId));
  const itemCount = from.varint();
  const items = readItems(from, itemCount, flags, 1);
  const sent = (flags & hasSent) === 0 ? {} : { sent: readSentFeatures(from, itemCount) };
  const interleaving =
    (flags & hasInterleaving) === 0 ? {} : { interleaving: readInterleaving(from, itemCount) };
  const attributes = (flags & hasAttributes) === 0 ? {} : { attributes: readSentAttributes(from) };
  const beyondLimit =
    (flags & hasBeyondLimit) === 0 ? {} : { beyondLimit: readBeyondLimit(from, itemCount + 1) };
  const served = (flags & hasServed) === 0 ? {} : { served: readServedFeatures(from) };
  return {
    kind: "impression",
    requestId,
    at,
    surface,
    userId,
    assignments,
    model,
    degraded,
    timings,
    candidateCount,
    items,
    ...sent,
    ...interleaving,
    ...attributes,
    ...beyondLimit,
    ...served,
  };
}

function writeAssignment(to: RecordWriter, assignment: Assignment, userId: string): void {
  const sameUnit = assignment.unit === userId;
  to.uint8((assignment.overridden ? overridden : 0) | (sameUnit ? unitIsUser : 0));
  to.string(assignment.experiment);
  to.string(assignment.arm);
  to.string(assignment.layer);
  if (!sameUnit) to.string(assignment.unit);
  to.varint(assignment.phase);
  to.float64(assignment.propensity);
}

function readAssignment(from: RecordReader, userId: string): Assignment {
  const flags = from.uint8();
  const experiment = from.string();
  const arm = from.string();
  const layer = from.string();
  const unit = (flags & unitIsUser) === 0 ? from.string() : userId;
  const phase = from.varint();
  const propensity = from.float64();
  return { experiment, arm, layer, phase, unit, propensity, overridden: (flags & overridden) !== 0 };
}

/**
 * Writes items in the shortest form that takes them, and answers the flags that say which. Nearly always the first form
 * fits; what it costs to find that out is less than a look ahead.
 * @param first the position that the first one should have.
 */
function writeItems(to: RecordWriter, items: readonly RankedItem[], first: number): number {
  const itemsAt = to.used;
  if (writePlainItems(to, items, first, true)) return narrowTasks | plainItems;
  to.used = itemsAt;
  if (writePlainItems(to, items, first, false)) return plainItems;
  to.used = itemsAt;
  for (const item of items) writeItem(to, item);
  return 0;
}

function readItems(from: RecordReader, count: number, flags: number, first: number): RankedItem[] {
  return (flags & plainItems) === 0
    ? readAnyItems(from, count)
    : readPlainItems(from, count, first, (flags & narrowTasks) !== 0);
}

function writeBeyondLimit(to: RecordWriter, items: readonly RankedItem[], first: number): void {
  to.varint(items.length);
  const formAt = to.used;
  to.uint8(0);
  to.uint8At(formAt, writeItems(to, items, first));
}

function readBeyondLimit(from: RecordReader, first: number): RankedItem[] {
  const count = from.varint();
  return readItems(from, count, from.uint8(), first);
}

/** False, with something half-written, where an item does not fit the form. */
function writePlainItems(
  to: RecordWriter,
  items: readonly RankedItem[],
  first: number,
  narrow: boolean,
): boolean {
  const names = Object.keys(items[0]?.tasks ?? {});
  to.varint(names.length);
  for (const name of names) to.string(name);
  for (let i = 0; i < items.length; i++) {
    const item = items[i] as RankedItem;
    if (item.position !== first + i) return false;
    to.string(item.id);
    to.float64(item.score);
    let place = 0;
    for (const name in item.tasks) {
      if (name !== names[place++]) return false;
      const probability = item.tasks[name] as number;
      if (!narrow) to.float64(probability);
      else if (Object.is(Math.fround(probability), probability)) to.float32(probability);
      else return false;
    }
    if (place !== names.length) return false;
  }
  return true;
}

function readPlainItems(from: RecordReader, count: number, first: number, narrow: boolean): RankedItem[] {
  const names: string[] = [];
  for (let left = from.varint(); left > 0; left--) names.push(from.string());
  const width = names.length;
  const items: RankedItem[] = [];
  for (let position = first; position < first + count; position++) {
    const id = from.string();
    const score = from.float64();
    const tasks: Record<string, number> = {};
    for (let place = 0; place < width; place++) {
      setTask(tasks, names[place] as string, narrow ? from.float32() : from.float64());
    }
    items.push({ id, position, score, tasks });
  }
  return items;
}

/** The form that takes anything: every item with its own position and its own tasks. */
function writeItem(to: RecordWriter, item: RankedItem): void {
  to.string(item.id);
  to.varint(item.position);
  to.float64(item.score);
  const tasks = Object.entries(item.tasks);
  to.varint(tasks.length);
  for (const [name, probability] of tasks) {
    to.string(name);
    to.float64(probability);
  }
}

function readAnyItems(from: RecordReader, count: number): RankedItem[] {
  const items: RankedItem[] = [];
  for (let left = count; left > 0; left--) {
    const id = from.string();
    const position = from.varint();
    const score = from.float64();
    const tasks: Record<string, number> = {};
    for (let width = from.varint(); width > 0; width--) {
      const name = from.string();
      setTask(tasks, name, from.float64());
    }
    items.push({ id, position, score, tasks });
  }
  return items;
}

/** A plain assignment to `__proto__` would set no property at all. */
function setTask(tasks: Record<string, number>, name: string, probability: number): void {
  if (name !== "__proto__") tasks[name] = probability;
  else
    Object.defineProperty(tasks, name, {
      value: probability,
      enumerable: true,
      configurable: true,
      writable: true,
    });
}
