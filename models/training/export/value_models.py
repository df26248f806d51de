"""How each surface fuses its tasks into the score that orders candidates."""

VALUE_MODELS = {
    "home": {"click": 1.0, "completion": 2.0, "like": 1.0},
    "radio": {"completion": 2.0, "skip": -1.0, "like": 1.0},
}
