"""Jobs: their table, the worker, and the retention of what they made."""
