"""Refuses a name that is not there, with the nearest one that is."""

from collections.abc import Iterable
from difflib import get_close_matches


def refuse_unknown(what: str, name: str, known: Iterable[str], place: str) -> None:
    """Raises a ValueError unless `name` is among `known`."""
    names = list(known)
    if name in names:
        return
    near = get_close_matches(str(name), names, 1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"{place}: unknown {what} {name!r}, expected one of {', '.join(names) or 'none at all'}{hint}")
