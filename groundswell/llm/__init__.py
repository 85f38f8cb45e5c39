"""Asks language models through LiteLLM, within a budget, and records every call."""
