import fc from "fast-check";
import { expect, test } from "vitest";
import { calibrationSalt, RerandomisedUnits } from "../../src/designs/rerandomised.ts";
import { murmur3 } from "../../src/domain/murmur3.ts";

test("units are dealt by the hash that assignment deals by, whatever their ids", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: "grapheme", maxLength: 20 })),
      fc.integer({ min: 0, max: 99_999 }),
      (ids, n) => {
        const salt = calibrationSalt(n);
        const places = new Float64Array(ids.length);
        new RerandomisedUnits(ids).places(salt, places);
        expect([...places]).toEqual(ids.map((id) => murmur3(`${salt}:${id}`) / 2 ** 32));
      },
    ),
  );
});
