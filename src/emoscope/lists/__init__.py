"""Lists of recordings: wav.scp, CSV and alike, row by row."""
