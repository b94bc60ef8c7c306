"""Catalogues of others: one contract, an adapter for each protocol, searches over several."""
