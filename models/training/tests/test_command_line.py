"""What every command does alike at its door, and how it spreads its seeds."""

import pytest

from training.command_line import MODELS, OUT, add_seeds, make_folders, new_parser, one_sentence, parsed
from training.refusal import RefusedError
from training.side_by_side import side_by_side


@pytest.mark.parametrize("error", [RefusedError("place: expected\nthis"), OSError(2, "no file", "there")])
def test_what_is_refused_is_one_line_on_stderr_and_status_1(capsys, error):
    @one_sentence("training.some")
    def main(argv):
        raise error

    assert main([]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("training.some: ")
    assert said.err.count("\n") == 1


def test_a_command_that_ends_well_answers_0():
    assert one_sentence("training.some")(lambda argv: None)([]) == 0


def options(*argv, least=2):
    parser = new_parser("training.some", "Does something.")
    add_seeds(parser, 2)
    return parsed(parser, list(argv), "some-smoke", "report", 5, least)


def test_where_and_how_many_follow_from_smoke():
    full, smoke = options(), options("--smoke")
    assert (full.out, full.seeds, full.jobs) == (MODELS, 5, 2)
    assert (smoke.out, smoke.seeds) == (OUT / "some-smoke", 2)
    assert options("--seeds", "1", least=1).seeds == 1


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--seeds", "1"], "--seeds: expected at least 2, because an interval over seeds needs them, found 1"),
        (["--jobs", "0"], "expected a whole number of at least 1, got '0'"),
        (["--smoke", "--out", str(MODELS)], "--smoke would overwrite the committed report; choose another --out"),
        (["--smok"], "unrecognized arguments: --smok"),
    ],
)
def test_wrong_usage_exits_with_2(capsys, argv, said):
    with pytest.raises(SystemExit) as stopped:
        options(*argv)
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err


def test_a_file_where_a_folder_should_be_is_named(tmp_path):
    (tmp_path / "reports").write_text("")
    with pytest.raises(RefusedError, match=f"--out {tmp_path}: expected a place for the folder reports/, found"):
        make_folders(tmp_path, "reports")


def test_seeds_come_in_their_order_with_what_they_share():
    assert list(side_by_side(pow, range(2, 5), 2, 3)) == [8, 27, 64]
