"""Credit that comes and goes by people's hands: grants, lots, limits, alerts."""
