"""Floor 4: train, evaluate, predict, export."""
