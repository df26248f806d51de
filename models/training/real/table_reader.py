"""Reads one delimited file; whatever is wrong with it is one sentence that names the file and the line."""

import csv
import math
from collections.abc import Callable
from pathlib import Path

from training.refusal import RefusedError, near


def finite(text: str) -> float:
    """A finite number, or a ValueError."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def read_table(path: Path, columns: dict[str, Callable], delimiter: str, encoding: str) -> dict[str, list]:
    """The named columns of a file with a header row, each value through its reader.

    A comma file quotes as RFC 4180 does; in a tab file a quote is a character like any other.
    """
    quoting = csv.QUOTE_MINIMAL if delimiter == "," else csv.QUOTE_NONE
    try:
        with path.open(encoding=encoding, newline="") as file:
            return _columns(path, csv.reader(file, delimiter=delimiter, quoting=quoting), columns)
    except UnicodeDecodeError as error:
        raise RefusedError(
            f"{path}: expected {encoding} text, found the byte {error.object[error.start]:#04x}"
        ) from None
    except csv.Error as error:
        raise RefusedError(f"{path}: expected rows separated by {delimiter!r}, found {error}") from None
    except OSError as error:
        raise RefusedError(f"{path}: expected a readable file, found {error.strerror}") from None


def _columns(path: Path, rows, columns: dict[str, Callable]) -> dict[str, list]:
    header = next(rows, [])
    places = {}
    for name in columns:
        if name not in header:
            found = ", ".join(header) or "nothing"
            raise RefusedError(f"{path} line 1: expected a column {name!r}, found {found}{near(name, header)}")
        places[name] = header.index(name)
    read = {name: [] for name in columns}
    for row in rows:
        if len(row) != len(header):
            raise RefusedError(f"{path} line {rows.line_num}: expected {len(header)} fields, found {len(row)}")
        for name, reader in columns.items():
            text = row[places[name]]
            try:
                read[name].append(reader(text))
            except ValueError:
                expected = "a whole number" if reader is int else "a finite number"
                raise RefusedError(
                    f"{path} line {rows.line_num}: expected {expected} as {name}, found {text!r}"
                ) from None
    if not next(iter(read.values())):
        raise RefusedError(f"{path}: expected at least one row after the header, found none")
    return read
