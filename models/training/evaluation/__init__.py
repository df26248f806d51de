"""Held-out metrics, their intervals over seeds, the expected live effect, and the table in the README."""
