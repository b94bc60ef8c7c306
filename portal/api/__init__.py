"""The REST API: its addresses, and what spans several packages."""
