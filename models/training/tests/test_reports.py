"""The one command that makes every report: what it runs, what it refuses, what it writes."""

import subprocess

import pytest

from training import reports
from training.reports import Cost, arguments, chosen, main, page


def test_every_report_is_made_and_timed(tmp_path, monkeypatch):
    ran = []
    monkeypatch.setattr(reports, "run", lambda command: ran.append(command) or Cost(90.0, 120.0))
    monkeypatch.setattr(reports, "read_sets", lambda *_: None)
    assert main(["--smoke", "--out", str(tmp_path), "--movielens", "m", "--lastfm", "l"]) == 0
    assert [c[0] for c in ran] == [f"training.{n}" for n in ("compare", "shift", "mapping", "search", "real")]
    assert all("--smoke" in c and c[-2:] == ["--out", str(tmp_path)] for c in ran)
    written = (tmp_path / "reports" / "README.md").read_text()
    assert "| **all of them** | | | **7.5** | **10.0** |" in written


def test_without_the_two_sets_the_page_says_what_is_missing():
    costs = [(report, Cost(1.0, 1.0)) for report, _ in chosen(arguments(["--smoke"]))]
    assert "Left out: real-data.md" in page(costs, smoke=True)


def test_a_report_that_fails_ends_the_run(tmp_path, monkeypatch, capsys):
    def fail(command):
        raise subprocess.CalledProcessError(3, command)

    monkeypatch.setattr(reports, "run", fail)
    assert main(["--smoke", "--out", str(tmp_path)]) == 1
    assert "training.compare ended with status 3" in capsys.readouterr().err
    assert not (tmp_path / "reports" / "README.md").exists()


def test_sets_that_are_not_there_are_told_before_the_first_report_is_made(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(reports, "run", lambda command: pytest.fail("a report was begun"))
    assert main(["--smoke", "--out", str(tmp_path), "--movielens", str(tmp_path), "--lastfm", str(tmp_path)]) == 1
    assert f"{tmp_path / 'ratings.csv'}: expected a readable file" in capsys.readouterr().err


def test_a_command_is_run_to_its_end_and_its_time_taken():
    cost = reports.run(["timeit", "-n", "1", "-r", "1", "sum(range(3_000_000))"])
    assert cost.processor > 0
    assert cost.wall > 0


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--movielens", "m"], "expected both or neither"),
        (["--smoke", "--out", str(reports.MODELS)], "would overwrite the committed reports"),
        (["--smok"], "unrecognized arguments: --smok"),
    ],
)
def test_wrong_usage_is_told_in_a_sentence(argv, message, capsys):
    with pytest.raises(SystemExit) as ended:
        arguments(argv)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
