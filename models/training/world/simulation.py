"""One seed's whole world: everything that exists before a model is trained."""

from dataclasses import dataclass

from training.logs.listening import Listening, draw_listening
from training.logs.music_log import SURFACE_TASKS, MusicLog, draw_music_log
from training.scale import Scale
from training.world.behaviour import MusicTruth, VideoTruth
from training.world.items import Items, draw_tracks, draw_videos
from training.world.people import People, draw_people
from training.world.space import draw_space


@dataclass(frozen=True)
class World:
    """People, items, the two truths, and the music app's logs: `logs` to learn from, `held_out` drawn today."""

    people: People
    tracks: Items
    videos: Items
    video_truth: VideoTruth
    music_truth: MusicTruth
    listening: Listening
    logs: dict[str, MusicLog]
    held_out: dict[str, MusicLog]


def draw_world(seed: int, scale: Scale) -> World:
    """Draws a world; the same seed and scale give the same world to the bit."""
    space = draw_space(seed)
    people = draw_people(seed, scale, space)
    tracks = draw_tracks(seed, scale, space)
    videos = draw_videos(seed, scale, space)
    truth = MusicTruth(space, people, tracks, scale.listeners)
    listening = draw_listening(seed, truth, tracks, scale.listeners)
    requests = {"home": scale.home_requests, "radio": scale.radio_requests}

    def log(surface: str, name: str, count: int, held_out: bool) -> MusicLog:
        return draw_music_log(seed, name, surface, count, held_out, people, tracks, listening, truth)

    return World(
        people,
        tracks,
        videos,
        VideoTruth(space, people, videos),
        truth,
        listening,
        {s: log(s, "log", requests[s], False) for s in SURFACE_TASKS},
        {s: log(s, "held out", scale.held_out_requests, True) for s in SURFACE_TASKS},
    )
