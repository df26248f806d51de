"""The one command."""

import pytest

from training.make import MODELS, SMOKE_OUT, arguments


def test_unknown_flags_are_refused():
    for flag in ("--sede=3", "--smok", "extra"):
        with pytest.raises(SystemExit):
            arguments([flag])


def test_smoke_never_writes_over_the_committed_models():
    assert arguments(["--smoke"]).out == SMOKE_OUT
    with pytest.raises(SystemExit):
        arguments(["--smoke", "--out", str(MODELS)])


def test_no_seeds_is_refused():
    with pytest.raises(SystemExit):
        arguments(["--seeds", "0"])
