"""What a command refuses, said in one sentence, with the nearest name where a name is unknown."""

from collections.abc import Iterable
from difflib import get_close_matches


class RefusedError(ValueError):
    """Its text is one sentence: the thing, the place, what was expected and what was found."""


def near(found: str, valid: Iterable[str]) -> str:
    """`; did you mean "…"?` when a valid name is near, else nothing."""
    close = get_close_matches(str(found), list(valid), 1)
    return f'; did you mean "{close[0]}"?' if close else ""


def nearest(found: str, valid: Iterable[str]) -> str:
    """The near name, else all the valid ones."""
    names = list(valid)
    return near(found, names) or (f"; expected one of {', '.join(names)}" if names else "; there are none")


def refuse_unknown(what: str, name: str, known: Iterable[str], place: str) -> None:
    """Raises RefusedError unless `name` is among `known`."""
    names = list(known)
    if name not in names:
        raise RefusedError(f'{place}: unknown {what} "{name}"{nearest(name, names)}')
