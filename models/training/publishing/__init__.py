"""From a model's folder to the next version of the repository: complete, in parity, measured, never over another."""
