"""Transformer for scikit-learn: recordings to embeddings or scores (extra ``vectors``)."""

from emoscope.optional import require

require("sklearn", extra="vectors")

from emoscope.sklearn.embedding import Embedding  # noqa: E402 - an error of ours comes first

__all__ = ["Embedding"]
