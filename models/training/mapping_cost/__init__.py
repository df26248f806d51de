"""What each of the teacher's inputs is worth on music: hidden one at a time."""
