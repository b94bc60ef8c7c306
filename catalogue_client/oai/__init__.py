"""OAI-PMH 2.0: the catalogue for harvesters that want every change, deletions too."""
