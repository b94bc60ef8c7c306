"""One module for each protocol that a catalogue may speak."""
