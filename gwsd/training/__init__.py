"""Training: loop, schedule, checkpoints and history."""
