"""Functions of a signal and its rate, as audinterface calls them: nine scores, or the embedding."""

from emoscope.audinterface.process import NAMES, signal_embedding, signal_scores

__all__ = ["NAMES", "signal_embedding", "signal_scores"]
