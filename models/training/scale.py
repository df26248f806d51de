"""How much of everything one run makes: the full recipe, and the smoke run that walks the same path in little."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Scale:
    """Counts of one run. Listeners are the first rows of the accounts: they hold both accounts.

    Video has 100 times music's impressions: 4,000,000 against 10 for each of 2,400 + 1,600 requests.
    """

    accounts: int = 20_000
    listeners: int = 6_000
    videos: int = 20_000
    creators: int = 1_000
    tracks: int = 6_000
    artists: int = 600
    video_impressions: int = 4_000_000
    home_requests: int = 2_400
    radio_requests: int = 1_600
    held_out_requests: int = 6_000
    teacher_epochs: int = 1
    student_epochs: int = 40
    live_listeners: int = 1_500
    parity_requests: int = 10_000


FULL = Scale()
SMOKE = Scale(
    accounts=3_000,
    listeners=1_000,
    videos=3_000,
    creators=200,
    tracks=1_000,
    artists=120,
    video_impressions=600_000,
    home_requests=480,
    radio_requests=320,
    held_out_requests=600,
    student_epochs=8,
    live_listeners=100,
    parity_requests=400,
)
# The smallest world in which everything still happens: what the reports' smoke runs and the tests are made from.
TINY = replace(
    SMOKE,
    accounts=500,
    listeners=300,
    tracks=400,
    artists=40,
    videos=400,
    creators=40,
    video_impressions=20_000,
)
