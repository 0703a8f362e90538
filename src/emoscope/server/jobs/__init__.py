"""Jobs: table, worker, and retention of their outputs."""
