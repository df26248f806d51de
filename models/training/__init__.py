"""The recipe: from one seed to the world, the teacher, the students and everything the server loads."""

import os

# ONNX Runtime reports to its maker what it loads, from 1.29 on, unless it is told not to before it is imported.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
