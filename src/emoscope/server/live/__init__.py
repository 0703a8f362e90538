"""Live streams: messages, byte queues, and the threads that recognize."""
