"""Fits the weights of answer confidence. Needs the extra `train`; never imported at run time."""
