"""Makes a student's next version from the log: `python -m training.train --from-log FOLDER …`, run in models/."""

import sys
import time

from training.command_line import one_sentence
from training.from_log.arguments import arguments
from training.from_log.new_version import make_from_log
from training.randomness import fix_threads


@one_sentence("train")
def main(argv: list[str] | None = None) -> None:
    """Says what was made of what."""
    options = arguments(argv)
    fix_threads()
    began = time.monotonic()
    print(f"seed {options.seed}", flush=True)
    made = make_from_log(options)
    log = made["log"]
    print(f"{made['data']}; left out {log['leftOut'] or 'none'}")
    counts = (log[f"{part}Requests"] for part in ("training", "validation", "heldOut"))
    print("arms {}: {} requests to learn from, {} to stop by; {} held out".format(", ".join(log["arms"]), *counts))
    if made["teacher"]:
        of = made["teacher"]
        print(f"teacher {of['name']} {of['version']} labelled {of['coverage']:.1%} of the items learnt from")
    for name, value in made["offlineMetrics"].items():
        if name.startswith("all/"):
            print(f"  {name:24} {value:.4f}")
    print(
        f"wrote {options.out} in {time.monotonic() - began:.0f} s; publish it with "
        f"`python -m training.publish {options.out}`"
    )


if __name__ == "__main__":
    sys.exit(main())
