"""The addresses of the doors: a module for each standard, one for the outputs of all."""
