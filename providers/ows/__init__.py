"""What providers that speak a WPS have in common, whichever version: for their drivers."""
