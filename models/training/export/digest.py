"""SHA-256 of files, and JSON as this recipe writes it."""

import hashlib
import json
from pathlib import Path


def sha256(path: Path) -> str:
    """Hex digest of the file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_json(path: Path, content: dict) -> None:
    """Writes readable JSON with a last newline; numbers that JSON cannot hold are refused."""
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
