"""Networks: encoders by name, the baselines, and encoder–decoders."""
