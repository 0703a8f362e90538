"""Recognition of very many recordings: a list cut into shards, one Parquet part for each."""
