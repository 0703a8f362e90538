"""From waveforms to frame logits: batches in, clips out."""
