"""Running a model over recordings of any length: windows, batches, resume."""
