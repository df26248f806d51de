"""Real behaviour: a movie teacher and artist students, on ml-latest-small and HetRec 2011 Last.fm."""
