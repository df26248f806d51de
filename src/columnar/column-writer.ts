/**
 * Columns on their way into DuckDB's vectors, as plain values: texts, numbers, booleans, arrays for lists, objects for
 * structs, arrays of `{ key, value }` for maps. The package's own way goes by an object a value: a segment's 50 items an impression took six times as long.
 */
import { type DuckDBType, DuckDBTypeId } from "@duckdb/node-api";
import bindings, { type Vector } from "@duckdb/node-bindings";

export type Cell =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly Cell[]
  | Float32Array
  | Int32Array
  | { readonly [field: string]: Cell };

/** Values of one column, gathered and then written into a vector that has room for them. */
export interface ColumnWriter {
  /** Null and undefined are NULL. */
  append(value: Cell): void;
  /** Writes all that was appended since the last flush. */
  flush(vector: Vector): void;
}

/** @throws {Error} for a type that no column of ours has. */
export function columnWriter(type: DuckDBType): ColumnWriter {
  const { typeId } = type;
  switch (typeId) {
    case DuckDBTypeId.VARCHAR:
      return new TextWriter();
    case DuckDBTypeId.DOUBLE:
      return new NumberWriter(Float64Array);
    case DuckDBTypeId.FLOAT:
      return new NumberWriter(Float32Array);
    case DuckDBTypeId.INTEGER:
      return new NumberWriter(Int32Array);
    case DuckDBTypeId.BOOLEAN:
      return new NumberWriter(Uint8Array);
    case DuckDBTypeId.LIST:
      return new ListWriter(columnWriter(type.valueType));
    case DuckDBTypeId.MAP:
      return new ListWriter(
        new StructWriter([
          ["key", columnWriter(type.keyType)],
          ["value", columnWriter(type.valueType)],
        ]),
      );
    case DuckDBTypeId.STRUCT:
      return new StructWriter(
        type.entryNames.map((name, place) => [name, columnWriter(type.entryTypes[place] as DuckDBType)]),
      );
    default:
      throw new Error(`no column is of the type ${type}`);
  }
}

type Numbers = Float64Array | Float32Array | Int32Array | Uint8Array | Uint32Array;

/** What is doubled as values come, and kept for the next chunk. */
const firstCapacity = 2_048;

/** Which values are NULL: a bit each, 1 where it is none; undefined while none is. */
class Validity {
  #bits: Uint8Array<ArrayBuffer> | undefined;

  setNull(place: number): void {
    const bytes = Math.ceil((place + 1) / 64) * 8;
    if (this.#bits === undefined || this.#bits.length < bytes) {
      const bits = new Uint8Array(Math.max(bytes * 2, firstCapacity / 8)).fill(0xff);
      if (this.#bits !== undefined) bits.set(this.#bits);
      this.#bits = bits;
    }
    this.#bits[place >> 3] = (this.#bits[place >> 3] as number) & ~(1 << (place & 7));
  }

  flush(vector: Vector, count: number): void {
    const bits = this.#bits;
    if (bits === undefined) return;
    const bytes = Math.ceil(count / 64) * 8;
    const whole = bits.length >= bytes ? bits : new Uint8Array(bytes).fill(0xff);
    if (whole !== bits) whole.set(bits);
    bindings.vector_ensure_validity_writable(vector);
    bindings.copy_data_to_vector_validity(vector, 0, whole.buffer, 0, bytes);
    this.#bits = undefined;
  }
}

class NumberWriter implements ColumnWriter {
  readonly #make: new (
    length: number,
  ) => Numbers;
  readonly #validity = new Validity();
  #numbers: Numbers;
  #count = 0;

  constructor(make: new (length: number) => Numbers) {
    this.#make = make;
    this.#numbers = new make(firstCapacity);
  }

  append(value: Cell): void {
    const place = this.#count++;
    if (place === this.#numbers.length) {
      const more = new this.#make(place * 2);
      more.set(this.#numbers);
      this.#numbers = more;
    }
    if (value === null || value === undefined) this.#validity.setNull(place);
    else this.#numbers[place] = Number(value);
  }

  flush(vector: Vector): void {
    copy(this.#numbers, this.#count * this.#numbers.BYTES_PER_ELEMENT, vector);
    this.#validity.flush(vector, this.#count);
    this.#count = 0;
  }
}

/** Of `duckdb_string_t`: uint32 bytes, then the bytes where there are no more than 12, else a pointer. */
const slotBytes = 16;
const inlineBytesMax = 12;

/** A short ASCII text goes into its slot as bytes; any other is a call of its own, at five times the price. */
class TextWriter implements ColumnWriter {
  readonly #validity = new Validity();
  readonly #longs: string[] = [];
  readonly #longPlaces: number[] = [];
  #slots = new Uint8Array(firstCapacity * slotBytes);
  #count = 0;

  append(value: Cell): void {
    const place = this.#count++;
    const start = place * slotBytes;
    if (start === this.#slots.length) {
      const more = new Uint8Array(start * 2);
      more.set(this.#slots);
      this.#slots = more;
    }
    if (value === null || value === undefined) {
      this.#slots.fill(0, start, start + slotBytes);
      this.#validity.setNull(place);
      return;
    }
    const text = value as string;
    if (this.#inline(text, start)) return;
    this.#slots.fill(0, start, start + slotBytes);
    this.#longs.push(text);
    this.#longPlaces.push(place);
  }

  flush(vector: Vector): void {
    copy(this.#slots, this.#count * slotBytes, vector);
    for (let i = 0; i < this.#longs.length; i++) {
      bindings.vector_assign_string_element(vector, this.#longPlaces[i] as number, this.#longs[i] as string);
    }
    this.#longs.length = 0;
    this.#longPlaces.length = 0;
    this.#validity.flush(vector, this.#count);
    this.#count = 0;
  }

  /** False, with something half-written, where the text is not short ASCII. */
  #inline(text: string, start: number): boolean {
    const { length } = text;
    if (length > inlineBytesMax) return false;
    const slots = this.#slots;
    slots[start] = length;
    slots[start + 1] = 0;
    slots[start + 2] = 0;
    slots[start + 3] = 0;
    for (let i = 0; i < inlineBytesMax; i++) {
      // What is behind the text has to be 0: DuckDB compares whole slots.
      const code = i < length ? text.charCodeAt(i) : 0;
      if (code > 0x7f) return false;
      slots[start + 4 + i] = code;
    }
    return true;
  }
}

class ListWriter implements ColumnWriter {
  readonly #elements: ColumnWriter;
  readonly #validity = new Validity();
  /** For each list two uint64, where its elements begin and how many they are: only the low halves are ever set. */
  #entries = new Uint32Array(firstCapacity * 4);
  #count = 0;
  #elementCount = 0;

  constructor(elements: ColumnWriter) {
    this.#elements = elements;
  }

  append(value: Cell): void {
    const place = this.#count++;
    const start = place * 4;
    if (start === this.#entries.length) {
      const more = new Uint32Array(start * 2);
      more.set(this.#entries);
      this.#entries = more;
    }
    const list = (value ?? []) as ArrayLike<Cell>;
    if (value === null || value === undefined) this.#validity.setNull(place);
    this.#entries[start] = this.#elementCount;
    this.#entries[start + 2] = list.length;
    for (let at = 0; at < list.length; at++) this.#elements.append(list[at]);
    this.#elementCount += list.length;
  }

  flush(vector: Vector): void {
    bindings.list_vector_reserve(vector, this.#elementCount);
    bindings.list_vector_set_size(vector, this.#elementCount);
    copy(this.#entries, this.#count * slotBytes, vector);
    this.#elements.flush(bindings.list_vector_get_child(vector));
    this.#validity.flush(vector, this.#count);
    this.#count = 0;
    this.#elementCount = 0;
  }
}

class StructWriter implements ColumnWriter {
  readonly #fields: readonly (readonly [name: string, writer: ColumnWriter])[];
  readonly #validity = new Validity();
  #count = 0;

  constructor(fields: readonly (readonly [name: string, writer: ColumnWriter])[]) {
    this.#fields = fields;
  }

  append(value: Cell): void {
    const place = this.#count++;
    const struct = value as { readonly [field: string]: Cell } | null | undefined;
    if (struct === null || struct === undefined) this.#validity.setNull(place);
    for (const [name, writer] of this.#fields) writer.append(struct?.[name]);
  }

  flush(vector: Vector): void {
    for (const [place, [, writer]] of this.#fields.entries())
      writer.flush(bindings.struct_vector_get_child(vector, place));
    this.#validity.flush(vector, this.#count);
    this.#count = 0;
  }
}

function copy(from: Numbers, bytes: number, vector: Vector): void {
  if (bytes > 0) bindings.copy_data_to_vector(vector, 0, from.buffer as ArrayBuffer, 0, bytes);
}
