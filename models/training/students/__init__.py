"""The students: small multi-task rankers of the music app, one architecture for both surfaces."""
