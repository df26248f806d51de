"""The world that teachers are tried on: smaller than the recipe's, so that a hundred trainings take minutes."""

from dataclasses import replace

from training.scale import SMOKE as SMALL
from training.scale import TINY

FULL = replace(
    SMALL,
    video_impressions=400_000,
    home_requests=600,
    radio_requests=20,
    held_out_requests=2_000,
    student_epochs=12,
)
SMOKE = replace(TINY, home_requests=120, radio_requests=20, held_out_requests=200, student_epochs=3)

# A step of a quarter of the recipe's rows: a tenth of the recipe's video log then still gives 400 steps.
BATCH = 1_024

# Trials are many and the largest teacher costs eight times the smallest: half the log, in as many steps.
SEARCH = replace(FULL, video_impressions=200_000)
SEARCH_BATCH = 512
