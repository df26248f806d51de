"""Where the video teacher's inputs come from, on video itself and on music."""

import numpy as np

from training.features.mapping import Absent, MappedInputs, Same, Sources, Translated, read_features
from training.features.music_features import SCHEMAS
from training.features.schema import Feature, Schema, Vocabulary, number
from training.features.teacher_inputs import TEACHER_INPUTS
from training.features.translations import Ladder, LogAge
from training.world.items import Items
from training.world.space import WIDTH

POSITIONS = 10
# The radio's features hold those of home: without a seed, its content is the default of zeros.
MUSIC_FEATURES = SCHEMAS["radio"].features


def video_features(makers: int) -> tuple[Feature, ...]:
    """The video platform's features, with creators by number."""
    zeros = [0.0] * WIDTH
    return (
        number("taste", "user", *zeros),
        number("seed_content", "context", *zeros),
        number("content", "item", *zeros),
        number("plays_week", "item", 0.0),
        number("age_days", "item", 0.0),
        number("length", "item", 0.0),
        Feature("creator", "item", Vocabulary(tuple(f"c{m + 1}" for m in range(makers)))),
        Feature("position", "item", Vocabulary(tuple(str(p + 1) for p in range(POSITIONS)))),
    )


def _plays(items: Items) -> np.ndarray:
    rows = np.arange(len(items))
    return items.weekly_plays(rows, np.zeros_like(rows))


def _shared(items: Items) -> Sources:
    """Both domains observe these; popularity is a rank within the domain, because their traffic differs."""
    return {
        "taste": Same("taste"),
        "content": Same("content"),
        "seed": Same("seed_content"),
        "popularity": Translated(("plays_week",), Ladder(_plays(items))),
        "age": Translated(("age_days",), LogAge()),
    }


def video_sources(videos: Items) -> Sources:
    """The domain that the teacher learns from."""
    return _shared(videos) | {"length": Same("length"), "maker": Same("creator"), "position": Same("position")}


def music_sources(tracks: Items) -> Sources:
    """Music. A track's length is not observed, creators do not make music, and labels are free of the position."""
    return _shared(tracks) | {"length": Absent(), "maker": Absent(), "position": Absent()}


def video_inputs(videos: Items) -> MappedInputs:
    """Video's features as the teacher's inputs."""
    features = video_features(int(videos.maker.max()) + 1)
    return MappedInputs("mapping of video", TEACHER_INPUTS, video_sources(videos), features)


def music_inputs(tracks: Items, hidden: tuple[str, ...] = ()) -> MappedInputs:
    """Music's features as the teacher's inputs; `hidden` ones are declared absent whatever music has."""
    sources = dict(music_sources(tracks)) | {name: Absent() for name in hidden}
    return MappedInputs("mapping of music", TEACHER_INPUTS, sources, MUSIC_FEATURES)


def teacher_schema(mapped: MappedInputs) -> Schema:
    """Those of music's features that the mapping reads: what the exported teacher is sent."""
    read = {f for source in mapped.sources.values() for f in read_features(source)}
    return Schema("video", tuple(f for f in MUSIC_FEATURES if f.name in read))
