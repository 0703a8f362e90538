"""Audio input: decoding, resampling, voice detection, checks of length and quality."""
