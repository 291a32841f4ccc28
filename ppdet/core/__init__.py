"""Floor 0: errors, registry, YAML, configs, builder. Imports nothing of the floors above."""
