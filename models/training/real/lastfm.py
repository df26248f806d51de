"""Reads HetRec 2011 Last.fm (Cantador, Brusilovsky and Kuflik, RecSys 2011): tab files, not all valid UTF-8."""

from pathlib import Path

import numpy as np

from training.real.domain import Domain, make_domain
from training.real.table_reader import finite, read_table
from training.refusal import RefusedError

# Every byte is a Latin-1 character, so no tag is lost; names that were UTF-8 read wrongly but compare equal.
ENCODING = "latin-1"
# Before 2005 there was no tagging on the service; a handful of rows say 1956, 1957 or 1979.
FIRST_YEAR, LAST_YEAR = 2005, 2011


def months(year: int, month: int) -> int:
    """Months since year 0."""
    return 12 * year + month - 1


def read_lastfm(folder: Path) -> Domain:
    """Play counts (no times) and tag assignments dated to the month; raises RefusedError."""
    plays = read_table(folder / "user_artists.dat", {"userID": int, "artistID": int, "weight": finite}, "\t", ENCODING)
    path = folder / "tags.dat"
    tags = read_table(path, {"tagID": int, "tagValue": str}, "\t", ENCODING)
    names = dict(zip(tags["tagID"], tags["tagValue"], strict=True))
    path = folder / "user_taggedartists.dat"
    given = read_table(path, {"userID": int, "artistID": int, "tagID": int, "month": int, "year": int}, "\t", ENCODING)
    for row, (tag, month) in enumerate(zip(given["tagID"], given["month"], strict=True)):
        if tag not in names:
            raise RefusedError(f"{path} line {row + 2}: expected a tagID of tags.dat, found {tag}")
        if not 1 <= month <= 12:
            raise RefusedError(f"{path} line {row + 2}: expected a month from 1 to 12, found {month}")
    year = np.array(given["year"])
    kept = np.flatnonzero((year >= FIRST_YEAR) & (year <= LAST_YEAR))
    if len(kept) == 0:
        raise RefusedError(f"{path}: expected taggings of {FIRST_YEAR} to {LAST_YEAR}, found none")
    at = months(year, np.array(given["month"]))
    return make_domain(
        "artists",
        (plays["userID"], plays["artistID"], plays["weight"], np.full(len(plays["weight"]), np.nan)),
        (
            np.array(given["userID"])[kept],
            np.array(given["artistID"])[kept],
            at[kept],
            [names[given["tagID"][k]] for k in kept],
        ),
        dropped=len(year) - len(kept),
    )
