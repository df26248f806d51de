"""What the server loads: ONNX graphs, manifests, golden answers, and the world's files."""
