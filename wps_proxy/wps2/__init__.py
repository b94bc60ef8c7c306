"""WPS 2.0 (OGC 14-065, corrigenda up to 2.0.2): pure translation between its documents and the
portal's own words.

Nothing here touches the database, the network or an HTTP request.
"""
