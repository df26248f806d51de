"""Real behaviour, on a tiny pair of data sets written here in the formats of the two sets."""

import dataclasses
import json

import numpy as np
import pytest

from training.command_line import MODELS, OUT
from training.randomness import stream
from training.real.__main__ import arguments, main
from training.real.domain import shared_vocabulary
from training.real.lastfm import read_lastfm
from training.real.movielens import read_movielens
from training.real.observed import TAG_CUT, observe_artists, observe_movies
from training.real.ranking_metrics import proxy_metrics
from training.real.requests import TAKEN, RequestMaker, Requests
from training.real.run import TEST_SHARE, mask, split_users
from training.real.statistics import measure
from training.refusal import RefusedError

USERS, ITEMS = 60, 50
TAGS = ["Rock", "  comedy ", "Señal", "war"]


def write_movielens(folder):
    folder.mkdir()
    random = stream(1, "movies")
    genres = ["Comedy|War", "Drama", "(no genres listed)"]
    rows = [f'{m},"Movie, the {m}é",{genres[m % 3]}' for m in range(1, ITEMS + 1)]
    (folder / "movies.csv").write_text("\n".join(["movieId,title,genres", *rows]) + "\n", encoding="utf-8")
    ratings, tags = ["userId,movieId,rating,timestamp"], ["userId,movieId,tag,timestamp"]
    for user in range(1, USERS + 1):
        for place, movie in enumerate(random.permutation(ITEMS)[:12]):
            ratings.append(f"{user},{movie + 1},{random.integers(1, 11) / 2},{1000 * user + place}")
            tags.append(f'{user},{movie + 1},"rock",{1000 * user + place}')
    (folder / "ratings.csv").write_text("\r\n".join(ratings) + "\r\n", encoding="utf-8")
    (folder / "tags.csv").write_text("\n".join(tags) + "\n", encoding="utf-8")
    return folder


def write_lastfm(folder):
    folder.mkdir()
    random = stream(1, "artists")
    tags = ["tagID\ttagValue", *(f"{k}\t{t}" for k, t in enumerate(TAGS))]
    (folder / "tags.dat").write_bytes("\n".join(tags).encode("latin-1") + b"\n")
    plays, given = ["userID\tartistID\tweight"], ["userID\tartistID\ttagID\tday\tmonth\tyear"]
    for user in range(2, USERS + 2):
        chosen = random.permutation(ITEMS)[:14]
        plays += [f"{user}\t{a + 1}\t{random.integers(1, 9000)}" for a in chosen[:12]]
        given += [f"{user}\t{a + 1}\t{a % len(TAGS)}\t1\t{4}\t{2009 + 2 * (a % 2)}" for a in chosen[6:]]
    given += ["2\t1\t0\t1\t3\t1956", "2\t2\t0\t1\t1\t1957", "3\t2\t0\t1\t1\t1979"]
    (folder / "user_artists.dat").write_text("\n".join(plays) + "\n")
    (folder / "user_taggedartists.dat").write_text("\r\n".join(given) + "\r\n")
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("sets")
    return write_movielens(root / "movies"), write_lastfm(root / "artists")


@pytest.fixture(scope="module")
def artists(folders):
    return read_lastfm(folders[1])


def features(artists, seed=5):
    """Everything that training users' rows make: statistics of items and of those users, and labelled requests."""
    split, observed = split_users(seed, artists, TEST_SHARE), observe_artists(seed, artists)
    statistics = measure(artists, observed, mask(split.training, artists.users), ("comedy", "rock", "war"))
    requests = RequestMaker(seed, artists, observed, statistics, TAKEN).labelled(split.training)
    return [
        statistics.popularity,
        statistics.item_profile,
        statistics.activity[split.training],
        statistics.user_profile[split.training],
        *dataclasses.astuple(requests),
    ]


def test_readers_keep_every_row_but_impossible_years(folders, artists):
    movies = read_movielens(folders[0])
    assert (movies.users, movies.items, len(movies.user)) == (USERS, ITEMS, 12 * USERS)
    assert (artists.users, len(artists.user), artists.dropped) == (USERS, 12 * USERS, 3)
    assert "señal" in set(artists.tag)
    assert artists.tag_at.min() == 12 * 2009 + 3
    assert set(movies.word) == {"comedy", "war", "drama"}


def test_vocabulary_is_what_both_say_whatever_the_case(folders, artists):
    assert shared_vocabulary(read_movielens(folders[0]), artists) == ("comedy", "rock", "war")


def test_users_are_split_and_observed_rows_never_make_labels(artists):
    split, observed = split_users(5, artists, TEST_SHARE), observe_artists(5, artists)
    assert sorted([*split.training, *split.test]) == list(range(USERS))
    assert len(split.test) == round(TEST_SHARE * USERS)
    statistics = measure(artists, observed, mask(split.training, USERS), ("rock",))
    requests = RequestMaker(5, artists, observed, statistics, TAKEN).labelled(split.test)
    shown = artists.keys(requests.user[requests.request_row], requests.item)
    known = artists.keys(artists.user[observed.pair], artists.item[observed.pair])
    held_out = artists.keys(artists.user[~observed.pair], artists.item[~observed.pair])
    assert not np.isin(shown, known).any()
    np.testing.assert_array_equal(requests.labels[:, 0] == 1, np.isin(shown, held_out))
    late = artists.tag_at >= TAG_CUT
    tagged = artists.keys(artists.tag_user[late], artists.tag_item[late])
    np.testing.assert_array_equal(requests.labels[:, 2] == 1, np.isin(shown, tagged))
    assert np.isnan(requests.labels[:, :2]).any()
    assert not np.isnan(requests.labels[:, 2]).any()


def test_altered_test_rows_leave_every_training_feature_unchanged(artists):
    tested = mask(split_users(5, artists, TEST_SHARE).test, USERS)
    of_test, tagged_by_test = tested[artists.user], tested[artists.tag_user]
    altered = dataclasses.replace(
        artists,
        item=np.where(of_test, (artists.item + 7) % ITEMS, artists.item),
        value=np.where(of_test, artists.value * 3 + 1, artists.value),
        tag_item=np.where(tagged_by_test, (artists.tag_item + 9) % ITEMS, artists.tag_item),
        tag=np.where(tagged_by_test, "rock", artists.tag),
    )
    for before, after in zip(features(artists), features(altered), strict=True):
        np.testing.assert_array_equal(before, after)


def test_altered_training_rows_do_change_them(artists):
    altered = dataclasses.replace(artists, item=(artists.item + 7) % ITEMS)
    assert any(not np.array_equal(b, a) for b, a in zip(features(artists), features(altered), strict=True))


def test_taggings_after_the_cut_and_of_held_out_pairs_reach_no_statistic(artists):
    observed, everyone = observe_artists(5, artists), np.ones(USERS, bool)
    held_out = artists.keys(artists.user[~observed.pair], artists.item[~observed.pair])
    secret = (artists.tag_at >= TAG_CUT) | np.isin(artists.keys(artists.tag_user, artists.tag_item), held_out)
    altered = dataclasses.replace(artists, tag=np.where(secret, "war", artists.tag))
    assert (artists.tag != altered.tag).any()
    before, after = (measure(a, observed, everyone, ("rock", "war")) for a in (artists, altered))
    np.testing.assert_array_equal(before.item_profile, after.item_profile)


def test_movies_are_observed_before_what_is_held_out(folders):
    movies = read_movielens(folders[0])
    observed = observe_movies(movies)
    for user in range(USERS):
        own = movies.user == user
        last_seen = movies.at[own & observed.pair].max()
        assert last_seen < movies.at[own & ~observed.pair].min()
        assert movies.tag_at[(movies.tag_user == user) & observed.tagging].max() <= last_seen


def test_metrics_by_hand():
    labels = np.array([[1, 1, 1], [0, 0, 0], [0, np.nan, 0], [0, 0, 0], [1, 1, 1]], np.float32)
    requests = Requests(np.array([0, 1]), np.array([0, 3, 5]), np.arange(5), labels)
    predicted = np.repeat(np.array([[0.2], [0.6], [0.4], [0.1], [0.9]], np.float32), 3, axis=1)
    figures = proxy_metrics(predicted, requests)
    assert figures["listened"]["auc"] == pytest.approx(4 / 6)
    assert figures["heavy_listen"]["auc"] == pytest.approx(3 / 4)
    assert figures["listened"]["ndcg_at_10"] == pytest.approx((0.5 + 1) / 2)
    assert figures["heavy_listen"]["ndcg_at_10"] == pytest.approx((1 / np.log2(3) + 1) / 2)
    expected = -np.log([0.2, 0.4, 0.6, 0.9, 0.9]).mean()
    assert figures["listened"]["log_loss"] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("user_artists.dat", "userID\tartist\tweight\n1\t2\t3\n", "line 1: expected a column 'artistID'"),
        ("user_artists.dat", "userID\tartistID\tweight\n1\t2\tnan\n", "line 2: expected a finite number as weight"),
        ("user_artists.dat", "userID\tartistID\tweight\n1\t2\t3\n1\t2\n", "line 3: expected 3 fields, found 2"),
        ("user_artists.dat", "userID\tartistID\tweight\n", "expected at least one row"),
        ("user_artists.dat", None, "expected a readable file"),
        (
            "user_taggedartists.dat",
            "userID\tartistID\ttagID\tday\tmonth\tyear\n2\t1\t0\t1\t3\t1956\n",
            "expected taggings of 2005 to 2011, found none",
        ),
    ],
)
def test_bad_files_are_one_sentence_and_exit_1(folders, tmp_path, capsys, name, text, found):
    broken = write_lastfm(tmp_path / "broken")
    (broken / name).unlink()
    if text is not None:
        (broken / name).write_text(text)
    assert main(["--movielens", str(folders[0]), "--lastfm", str(broken), "--smoke"]) == 1
    error = capsys.readouterr().err
    assert found in error
    assert name in error
    assert error.count("\n") == 1


def test_movielens_must_be_utf8(folders, tmp_path):
    broken = write_movielens(tmp_path / "broken")
    (broken / "movies.csv").write_bytes(b"movieId,title,genres\n1,\xe9,War\n")
    with pytest.raises(RefusedError, match="expected utf-8 text, found the byte 0xe9"):
        read_movielens(broken)


def test_a_share_without_users_is_refused_before_training(folders, tmp_path, capsys):
    # Sixty users: a share of 1 % is nobody.
    assert main(["--movielens", str(folders[0]), "--lastfm", str(folders[1]), "--out", str(tmp_path)]) == 1
    assert "at least 4 training users" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_pair_that_comes_twice_is_refused(folders, tmp_path):
    """One row could be observed and the other held out."""
    broken = write_lastfm(tmp_path / "broken")
    with (broken / "user_artists.dat").open("a") as file:
        file.write("7\t900\t1\n7\t900\t2\n")
    with pytest.raises(RefusedError, match="artists: expected every pair once, found user 7 with item 900 again"):
        read_lastfm(broken)


def test_a_proxy_without_both_outcomes_is_refused_before_training(folders, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("training.real.run.train_teacher", lambda *_: pytest.fail("training began"))
    early, late = write_lastfm(tmp_path / "early"), write_movielens(tmp_path / "late")
    given = early / "user_taggedartists.dat"
    given.write_text(given.read_text().replace("\t2011", "\t2008"))
    tags = (late / "tags.csv").read_text().splitlines()
    (late / "tags.csv").write_text("\n".join(tags[:2]) + "\n")
    out = tmp_path / "out"
    for movies, artists, said in (
        (folders[0], early, "artists: expected both outcomes of 'tagged' among the test users' labels"),
        (late, folders[1], "movies: expected both outcomes of 'tagged_movie' among the training users' labels"),
    ):
        assert main(["--movielens", str(movies), "--lastfm", str(artists), "--smoke", "--out", str(out)]) == 1
        error = capsys.readouterr().err.splitlines()
        assert said in error[-1]


@pytest.mark.parametrize("wrong", [["--seeds", "1"], ["--smok"], ["--smoke", "--out", str(MODELS)]])
def test_wrong_usage_is_refused(folders, wrong):
    with pytest.raises(SystemExit) as stopped:
        main(["--movielens", str(folders[0]), "--lastfm", str(folders[1]), *wrong])
    assert stopped.value.code == 2


def test_smoke_never_writes_over_the_committed_report():
    assert arguments(["--movielens", "m", "--lastfm", "l", "--smoke"]).out == OUT / "real-smoke"


def test_smoke_writes_report_picture_and_figures_without_data(folders, tmp_path):
    arguments = ["--movielens", str(folders[0]), "--lastfm", str(folders[1]), "--smoke", "--seeds", "2"]
    assert main([*arguments, "--out", str(tmp_path)]) == 0
    results = json.loads((tmp_path / "training" / "results" / "real-data.json").read_text())
    assert [r["seed"] for r in results["runs"]] == [1, 2]
    for run in results["runs"]:
        for share in run["shares"].values():
            assert set(share["students"]) == {"control", "direct", "auxiliary", "augmentation"}
            values = [v for s in share["students"].values() for task in s.values() for v in task.values()]
            assert np.isfinite(values).all()
            assert share["students"]["control"] != share["students"]["direct"]
    report = (tmp_path / "reports" / "real-data.md").read_text()
    assert "Every label is a proxy" in report
    assert str(folders[0]) not in report
    assert (tmp_path / "reports" / "real-data.svg").read_text().count("<svg") == 1
