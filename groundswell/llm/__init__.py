"""Language models through LiteLLM: how they are asked, what that may cost, and a record of every call."""
