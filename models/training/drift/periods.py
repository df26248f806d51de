"""One seed's world as it is in each period: the same people, items and requests under a truth that has moved."""

from dataclasses import dataclass, replace

from training.drift.scale import DriftScale
from training.drift.world import DriftingMusicTruth, DriftingVideoTruth, turned
from training.logs.listening import Listening, draw_listening
from training.logs.music_log import MusicLog, draw_music_log
from training.logs.video_log import VideoLog, draw_video_log
from training.randomness import stream
from training.world.items import Items, draw_tracks, draw_videos
from training.world.people import People, draw_people
from training.world.space import Space, draw_space


@dataclass(frozen=True)
class Period:
    """What one period logs on both platforms, what is asked at its end, and the truth behind both."""

    video_log: VideoLog
    music_log: MusicLog
    asked: MusicLog
    truth: DriftingMusicTruth


@dataclass(frozen=True)
class DriftingWorld:
    """What stays while the truth moves. Items do not age and none are added: drift is then the only thing that
    changes."""

    seed: int
    scale: DriftScale
    space: Space
    people: People
    tracks: Items
    videos: Items
    listening: Listening

    def truths(self, number: int) -> tuple[DriftingVideoTruth, DriftingMusicTruth]:
        """Both domains' truth after `number` steps of drift."""
        drift = self.scale.drift
        people = turned(self.seed, self.people, number * drift.turn) if drift.turn else self.people
        video = DriftingVideoTruth(self.space, people, self.videos)
        music = DriftingMusicTruth(self.space, people, self.tracks, self.scale.world.listeners)
        video.rate = music.rate = number * drift.rate
        return video, music

    def period(self, number: int) -> Period:
        """Draws period `number` from 0; the first has the longer logs, as platforms have a past."""
        video_truth, truth = self.truths(number)
        past = self.scale.past if number == 0 else 1
        video_scale = replace(self.scale.world, video_impressions=past * self.scale.world.video_impressions)
        drawn = int(stream(self.seed, f"period {number}").integers(2**31))

        def log(name: str, requests: int, held_out: bool) -> MusicLog:
            return draw_music_log(
                drawn, name, "home", requests, held_out, self.people, self.tracks, self.listening, truth
            )

        return Period(
            draw_video_log(drawn, video_scale, self.people, video_truth),
            log("log", past * self.scale.world.home_requests, False),
            log("held out", self.scale.world.held_out_requests, True),
            truth,
        )


def draw_drifting_world(seed: int, scale: DriftScale) -> DriftingWorld:
    """Draws what stays; the same seed and scale give the same world to the bit."""
    space, world = draw_space(seed), scale.world
    people = draw_people(seed, world, space)
    tracks, videos = draw_tracks(seed, world, space), draw_videos(seed, world, space)
    truth = DriftingMusicTruth(space, people, tracks, world.listeners)
    listening = draw_listening(seed, truth, tracks, world.listeners)
    return DriftingWorld(seed, scale, space, people, tracks, videos, listening)
