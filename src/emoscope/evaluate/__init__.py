"""How good is a model on recordings whose emotion is known: figures that anyone can repeat."""
