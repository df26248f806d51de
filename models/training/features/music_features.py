"""The music models' features. Home and radio share the user's and the item's; radio adds the track it grew from."""

from training.features.schema import Feature, Hash, Schema, Vocabulary, number
from training.logs.listening import HISTORY
from training.world.items import AUDIO
from training.world.people import COUNTRIES, DEVICES
from training.world.space import GENRES, WIDTH

TRACK = Hash(16_384)
ARTIST = Hash(2_048)

USER = (
    number("taste", "user", *[0.0] * WIDTH),
    number("genre_affinity", "user", *[0.0] * len(GENRES)),
    number("weekly_plays", "user", 0.0),
    number("tenure_days", "user", 0.0),
    Feature("history", "user", TRACK, HISTORY),
    Feature("country", "user", Vocabulary(COUNTRIES)),
    Feature("device", "user", Vocabulary(DEVICES)),
)
ITEM = (
    number("content", "item", *[0.0] * WIDTH),
    number("audio", "item", *[0.0] * AUDIO),
    number("plays_week", "item", 0.0),
    number("age_days", "item", 0.0),
    Feature("id", "item", TRACK),
    Feature("artist", "item", ARTIST),
    Feature("genre", "item", Vocabulary(GENRES)),
)
RADIO_CONTEXT = (
    number("seed_content", "context", *[0.0] * WIDTH),
    Feature("seed_track", "context", TRACK),
)

SCHEMAS = {
    "home": Schema("home", USER + ITEM),
    "radio": Schema("radio", USER + RADIO_CONTEXT + ITEM),
}
