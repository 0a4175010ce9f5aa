"""Any server of the OpenAI completions API that takes token ids: a batch of prefixes verifies."""
