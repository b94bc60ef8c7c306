"""What people ask for and others decide: credit, refunds, disputes, the release of holds."""
