"""GGUF files without their weights: the container, its tensor types, what a model says of itself.

Reads hostile files safely, and needs neither llama.cpp nor another library.
"""
