"""Lists of recordings: ``wav.scp``, CSV and similar."""
