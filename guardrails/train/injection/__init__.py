"""The recipe of the injection detector: texts, training, figures."""
