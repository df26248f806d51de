/** What is there of an id that was sent, after the log was read. */
export interface NumberedAudit {
  readonly sent: number;
  /** Answered or acknowledged: must be there. */
  readonly promised: number;
  /** There, once or more often. */
  readonly found: number;
  /** Promised, and not there. */
  readonly lost: number;
  readonly repeated: number;
  /** There, and never sent. */
  readonly unknown: number;
  /** Some of those that are lost, repeated or unknown. */
  readonly examples: readonly string[];
}

/**
 * What a client knows of its own ids over millions of them: they are numbers in a row behind a letter, so that an id
 * takes one byte. book.ts has the same for any ids, at a hundred times the memory.
 */
export interface NumberedBook {
  /** The next id, about to be sent: a letter and ten digits. */
  send(): string;
  /** Answered or acknowledged: from now on it must be in the log. */
  promised(id: string): void;
  readonly promisedCount: number;
  /** Read in the log. */
  found(id: string): void;
  audit(): NumberedAudit;
}

/** Bytes of every id. */
export const idBytes = 11;
const promisedBit = 0x80;
const foundMax = 0x7f;
const examplesMax = 20;

export function createNumberedBook(letter: string): NumberedBook {
  let states = new Uint8Array(65_536);
  let sent = 0;
  let promised = 0;
  let unknown = 0;
  const strange: string[] = [];

  const idOf = (number: number): string => letter + String(number).padStart(idBytes - 1, "0");
  /** Undefined for an id that never was. */
  const placeOf = (id: string): number | undefined => {
    const number = Number(id.slice(1));
    return id.startsWith(letter) && id.length === idBytes && number < sent ? number : undefined;
  };

  return {
    send() {
      if (sent === states.length) {
        const more = new Uint8Array(2 * sent);
        more.set(states);
        states = more;
      }
      return idOf(sent++);
    },
    promised(id) {
      const place = placeOf(id);
      if (place === undefined) throw new Error(`${id} was never sent`);
      if (((states[place] as number) & promisedBit) === 0) promised++;
      states[place] = (states[place] as number) | promisedBit;
    },
    get promisedCount() {
      return promised;
    },
    found(id) {
      const place = placeOf(id);
      if (place === undefined) {
        unknown++;
        if (strange.length < examplesMax) strange.push(`${id} unknown`);
        return;
      }
      const state = states[place] as number;
      if ((state & foundMax) < foundMax) states[place] = state + 1;
    },
    audit() {
      const examples = [...strange];
      let found = 0;
      let lost = 0;
      let repeated = 0;
      for (let number = 0; number < sent; number++) {
        const state = states[number] as number;
        const times = state & foundMax;
        if (times > 0) found++;
        const isLost = times === 0 && (state & promisedBit) !== 0;
        if (isLost) lost++;
        if (times > 1) repeated++;
        if ((isLost || times > 1) && examples.length < examplesMax) {
          examples.push(`${idOf(number)} ${isLost ? "lost" : `${times} times`}`);
        }
      }
      return { sent, promised, found, lost, repeated, unknown, examples };
    },
  };
}
