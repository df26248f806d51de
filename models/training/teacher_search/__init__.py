"""A search for the teacher worth having: the one whose students gain most over a control, within a budget."""
