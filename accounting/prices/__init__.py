"""Price lists, quotes, and the formulas behind estimates."""
