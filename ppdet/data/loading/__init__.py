"""From samples to batches: sampling, workers, memory."""
