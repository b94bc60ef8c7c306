"""OGC API – Processes, Part 1, version 1.0 (18-062r2): the door in JSON and HTML.

What clients of the draft of version 2.0 send is read too (`Prefer: return=…`, the address of one
output); what is written is version 1.0.
"""
