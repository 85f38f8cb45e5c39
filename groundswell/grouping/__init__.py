"""How the complaints of a window become problems: links, communities, voices, groups."""
