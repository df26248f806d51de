"""Reads ml-latest-small (Harper and Konstan, ACM TiiS 5(4), 2015, DOI 10.1145/2827872): comma files in UTF-8."""

from pathlib import Path

from training.real.domain import Domain, make_domain
from training.real.table_reader import finite, read_table

ENCODING = "utf-8"
NO_GENRE = "(no genres listed)"


def read_movielens(folder: Path) -> Domain:
    """Ratings, tags and genres; raises RefusedError."""
    ratings = read_table(
        folder / "ratings.csv", {"userId": int, "movieId": int, "rating": finite, "timestamp": int}, ",", ENCODING
    )
    tags = read_table(folder / "tags.csv", {"userId": int, "movieId": int, "tag": str, "timestamp": int}, ",", ENCODING)
    movies = read_table(folder / "movies.csv", {"movieId": int, "genres": str}, ",", ENCODING)
    words = [
        (movie, genre)
        for movie, genres in zip(movies["movieId"], movies["genres"], strict=True)
        for genre in genres.split("|")
        if genre != NO_GENRE
    ]
    return make_domain(
        "movies",
        (ratings["userId"], ratings["movieId"], ratings["rating"], ratings["timestamp"]),
        (tags["userId"], tags["movieId"], tags["timestamp"], tags["tag"]),
        ([movie for movie, _ in words], [genre for _, genre in words]),
    )
