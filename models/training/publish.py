"""Puts a model into the repository as its next version: `python -m training.publish FOLDER`, run in models/."""

import argparse
import sys
from pathlib import Path

from training.command_line import MODELS, one_sentence
from training.publishing.next_version import WORLD, publish

REPOSITORY = MODELS / "repository"


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """Parses the command line; unknown flags are refused."""
    parser = argparse.ArgumentParser(
        prog="python -m training.publish",
        description="Put a model into the repository as its next version, if its manifest is complete, its graph "
        "answers its golden inputs, and its offline metrics are attached. No version is ever written over.",
        allow_abbrev=False,
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="holds manifest.json and the files that it names")
    parser.add_argument(
        "--repository",
        type=Path,
        default=REPOSITORY,
        metavar="FOLDER",
        help="the model repository (default: models/repository)",
    )
    parser.add_argument(
        "--world",
        type=Path,
        default=WORLD,
        metavar="FOLDER",
        help="whose items may have what diversity goes by (default: models/world)",
    )
    return parser.parse_args(argv)


@one_sentence("publish")
def main(argv: list[str] | None = None) -> None:
    """Says where the model went."""
    options = arguments(argv)
    version, difference = publish(options.folder, options.repository, options.world)
    print(f"published {version}: within {difference:.1e} of its golden answers")


if __name__ == "__main__":
    sys.exit(main())
