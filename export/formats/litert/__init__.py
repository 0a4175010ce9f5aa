"""LiteRT (.tflite), by litert-torch, which needs an environment of its own."""
