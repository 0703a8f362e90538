"""What a recognition says: scores, time axis, recording check, and the whole result."""
