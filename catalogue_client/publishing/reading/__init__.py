"""Documents among the outputs of a job that tell of files, in every form that centres use.

`read` knows a document by what is in it, not by its name or media type: Atom and OWS Context feeds,
metalinks (3 and 4), STAC, results of OGC API – Processes, OpenSearch descriptions, references in
XML or as bare text. What it gives is only what the document says: the caller decides which address
is called.
"""

from catalogue_client.publishing.reading.documents import read
from catalogue_client.publishing.reading.found import Entry, File, Reading

__all__ = ["Entry", "File", "Reading", "read"]
