"""Export of results: records, tables, annotation formats."""
