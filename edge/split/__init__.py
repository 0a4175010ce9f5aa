"""Split inference, the device's half: it drafts ahead, and the cloud verifies."""
