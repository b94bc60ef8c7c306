"""From what a job gave to records in catalogues: reading its outputs, and writing to targets."""
