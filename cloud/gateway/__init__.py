"""The gateway: who may ask which model, how much of it, and which replica answers.

`app` is the page to read first. It knows nothing of devices; it carries requests and counts them.
"""
