"""Viewers that are told to show results: the contract, its adapters, and who may use which."""
