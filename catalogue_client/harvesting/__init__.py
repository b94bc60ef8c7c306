"""Records of processing centres in the portal's catalogue: read from theirs, or sent by them."""
