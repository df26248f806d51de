"""What the models see: the manifest's features, and how the teacher sees a music impression."""
