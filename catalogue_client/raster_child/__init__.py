"""The process that looks into raster files from elsewhere.

Nothing of the portal is imported here but this folder, and the process gets nothing of the portal's
environment: a file that takes it over finds no secret.
"""
