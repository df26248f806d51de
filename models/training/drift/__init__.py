"""Distribution shift: a world that drifts, teachers that keep up or do not, and what their students serve of it."""
