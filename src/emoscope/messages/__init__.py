"""User-visible sentences in Chinese and English."""
