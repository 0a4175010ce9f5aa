"""MLC-LLM: drives its own command line where that is installed. It is not on PyPI."""
