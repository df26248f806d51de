"""The world is what the README says: position bias, scarce new releases, labels that follow the truth."""

import numpy as np
import pytest
import torch
from conftest import SEED, TINY

from training.logs.music_log import draw_music_log
from training.scale import FULL
from training.world.items import NEW_RELEASE_AGE_DAYS_MAX, draw_tracks
from training.world.simulation import draw_world
from training.world.space import draw_space


def shown(world, n=2_000, position=1, seed_row=0):
    rng = np.random.default_rng(0)
    rows = (rng.integers(TINY.listeners, size=n), rng.integers(TINY.tracks, size=n))
    fixed = (np.full(n, seed_row), np.full(n, position))
    with torch.no_grad():
        return world.music_truth(*(torch.from_numpy(r.astype(np.int32)) for r in (*rows, *fixed)))


def test_the_same_seed_draws_the_same_world(world):
    again = draw_world(SEED, TINY)
    assert np.array_equal(again.tracks.content, world.tracks.content)
    assert np.array_equal(again.logs["home"].labels, world.logs["home"].labels)


def test_truth_gives_probabilities():
    world = draw_world(SEED + 1, TINY)
    for seed_row in (-1, 5):
        home, radio = shown(world, seed_row=seed_row)
        assert 0 <= float(home.min()) <= float(home.max()) <= 1
        assert float(radio.min()) >= 0
        assert float(radio[:, :2].sum(dim=1).max()) <= 1


def test_a_lower_position_is_clicked_less(world):
    assert bool((shown(world, position=1)[0][:, 0] > shown(world, position=10)[0][:, 0]).all())


def test_about_a_tenth_of_the_tracks_are_new_and_hardly_logged(world):
    tracks = draw_tracks(1, FULL, draw_space(1))
    assert np.mean(tracks.age_days <= NEW_RELEASE_AGE_DAYS_MAX) == pytest.approx(0.1, abs=0.02)
    new = world.tracks.age_days[world.logs["home"].item] <= NEW_RELEASE_AGE_DAYS_MAX
    assert new.mean() < 0.02


def test_nothing_is_shown_before_its_release(world):
    for log in world.logs.values():
        assert (world.tracks.age_days[log.item] >= log.days_ago[:, None]).all()


def test_video_has_a_hundred_times_the_interactions_of_music():
    assert FULL.video_impressions == 100 * 10 * (FULL.home_requests + FULL.radio_requests)


def test_labels_are_unconditional_and_nested(world):
    click, completion, like = np.moveaxis(world.held_out["home"].labels, -1, 0)
    assert ((like <= completion) & (completion <= click)).all()
    completion, skip, like = np.moveaxis(world.held_out["radio"].labels, -1, 0)
    assert ((like <= completion) & (completion + skip <= 1)).all()


@pytest.mark.parametrize("surface", ["home", "radio"])
def test_labels_follow_the_truth(world, surface):
    log = draw_music_log(
        3, "many", surface, 4_000, True, world.people, world.tracks, world.listening, world.music_truth
    )
    position = np.tile(np.arange(1, 11), len(log))
    rows = (np.repeat(log.user, 10), log.item.ravel(), np.repeat(log.seed, 10), position)
    with torch.no_grad():
        home, radio = world.music_truth(*(torch.from_numpy(r.astype(np.int32)) for r in rows))
    if surface == "home":
        expected = torch.cumprod(home, dim=1)
    else:
        expected = torch.stack([radio[:, 0], radio[:, 1], radio[:, 0] * radio[:, 2]], dim=1)
    assert log.labels.mean(axis=(0, 1)) == pytest.approx(expected.mean(dim=0).numpy(), abs=0.01)
