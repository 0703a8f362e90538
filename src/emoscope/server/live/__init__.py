"""Live streams: messages, byte queues, and recognizing threads."""
