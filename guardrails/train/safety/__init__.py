"""The recipe of the safety classes: texts, training, figures."""
