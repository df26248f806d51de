"""From the server's log to a student's examples: segments, joins, arms, weights, features, parts of time."""
