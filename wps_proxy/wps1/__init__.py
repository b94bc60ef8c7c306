"""WPS 1.0.0 (OGC 05-007r7): pure translation between its documents and the portal's own words.

Nothing here touches the database, the network or an HTTP request.
"""
