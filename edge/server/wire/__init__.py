"""What clients send, as checked data: one module per endpoint."""
