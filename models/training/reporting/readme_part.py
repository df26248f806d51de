"""The part of a README that a command writes: what stands between its two markers."""

from pathlib import Path

from training.refusal import RefusedError


def between(text: str, begin: str, end: str, content: str, name: str) -> str:
    """`text` with what stands between the two markers replaced; RefusedError unless each is there once."""
    if text.count(begin) != 1 or text.count(end) != 1:
        raise RefusedError(f"{name}: expected the markers {begin} and {end} once each, to write between them")
    head, rest = text.split(begin)
    return f"{head}{begin}\n\n{content}\n\n{end}{rest.split(end)[1]}"


def prepare_readme(readme: Path, heading: str, begin: str, end: str) -> None:
    """Makes sure, before any training, that there is a README with a place to write to."""
    if not readme.exists():
        readme.write_text(f"# {heading}\n\n{begin}\n{end}\n")
    between(readme.read_text(), begin, end, "", str(readme))


def write_part(readme: Path, begin: str, end: str, content: str) -> None:
    """Replaces what stands between the markers."""
    readme.write_text(between(readme.read_text(), begin, end, content, str(readme)))
