"""ExecuTorch programs (.pte) on XNNPACK, which ExecuTorch's Python runtime runs here."""
