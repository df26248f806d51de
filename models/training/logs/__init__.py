"""What the two platforms would have logged: impressions and what people did, drawn from the truth."""
