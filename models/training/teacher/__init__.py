"""The teacher: video's ranker, trained on video alone, run as it is on music."""
