"""Model downloads from Hugging Face and ModelScope: fetch, verify, convert, cache."""
