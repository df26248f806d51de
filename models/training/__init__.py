"""The recipe: from one seed to the world, the teacher, the students and everything the server loads."""
