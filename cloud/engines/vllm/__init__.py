"""vLLM with Skerry's plugin: one forward pass verifies a draft, and only new tokens travel."""
