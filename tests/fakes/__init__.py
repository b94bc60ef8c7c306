"""Stand-ins for the far side that speak the real protocol over real sockets."""
