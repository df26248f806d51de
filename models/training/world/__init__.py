"""The simulated world: one content space, two domains, and the truth of how people behave in both."""
