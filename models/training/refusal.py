"""What a command refuses, said in one sentence."""

import difflib
from collections.abc import Iterable


class RefusedError(ValueError):
    """Its text is one sentence: the thing, the place, what was expected and what was found."""


def nearest(found: str, valid: Iterable[str]) -> str:
    """`; did you mean "…"?` when a valid name is near, else the valid names."""
    names = sorted(valid)
    close = difflib.get_close_matches(found, names, n=1)
    if close:
        return f'; did you mean "{close[0]}"?'
    return f"; expected one of {', '.join(names)}" if names else "; there are none"
