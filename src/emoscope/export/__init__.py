"""Results for other programs: records, tables, annotation formats."""
