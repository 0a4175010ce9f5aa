"""Every figure that the project claims, measured beside a peer in one run."""
