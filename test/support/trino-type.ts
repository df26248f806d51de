import { type DuckDBType, DuckDBTypeId } from "@duckdb/node-api";
import { INSTANT } from "../../src/warehouse/log-columns.ts";

/** What Trino calls the type of a column of the warehouse. */
export function trinoType(type: DuckDBType | typeof INSTANT): string {
  if (type === INSTANT) return "timestamp(6)";
  switch (type.typeId) {
    case DuckDBTypeId.VARCHAR:
      return "varchar";
    case DuckDBTypeId.DOUBLE:
      return "double";
    case DuckDBTypeId.FLOAT:
      return "real";
    case DuckDBTypeId.INTEGER:
      return "integer";
    case DuckDBTypeId.BOOLEAN:
      return "boolean";
    case DuckDBTypeId.LIST:
      return `array(${trinoType(type.valueType)})`;
    case DuckDBTypeId.MAP:
      return `map(${trinoType(type.keyType)}, ${trinoType(type.valueType)})`;
    case DuckDBTypeId.STRUCT: {
      const fields = type.entryNames.map((name, place) => {
        const entry = type.entryTypes[place];
        if (entry === undefined) throw new Error(`${name} has no type`);
        return `${name} ${trinoType(entry)}`;
      });
      return `row(${fields.join(", ")})`;
    }
    default:
      throw new Error(`Trino's name for ${type} is not written down here`);
  }
}
