"""Inference over recordings of any length: windows, batches, resume."""
