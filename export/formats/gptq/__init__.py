"""Four-bit checkpoints for the cloud tier, which vLLM loads; by LLM Compressor, in an environment
of its own."""
