"""The one command."""

import pytest

from training.command_line import MODELS, OUT
from training.make import arguments, main


def test_unknown_flags_are_refused():
    for flag in ("--sede=3", "--smok", "extra"):
        with pytest.raises(SystemExit):
            arguments([flag])


def test_smoke_never_writes_over_the_committed_models():
    assert arguments(["--smoke"]).out == OUT / "smoke"
    with pytest.raises(SystemExit):
        arguments(["--smoke", "--out", str(MODELS)])


def test_no_seeds_is_refused():
    with pytest.raises(SystemExit):
        arguments(["--seeds", "0"])


@pytest.mark.parametrize(
    ("name", "said"),
    [("README.md", "README.md: expected the markers"), ("training", "a place for the folder training/results/")],
)
def test_a_place_that_cannot_be_written_to_is_refused_before_training(tmp_path, capsys, name, said):
    (tmp_path / name).write_text("mine")
    assert main(["--smoke", "--out", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert (tmp_path / name).read_text() == "mine"
