"""How posts become plain text: characters, markup, lines, forms."""
