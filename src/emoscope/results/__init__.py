"""Result types: scores, track, segments, quality, and the whole result."""
