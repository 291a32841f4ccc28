"""Losses: `loss(outputs, batch) -> {"loss": ...}`."""
