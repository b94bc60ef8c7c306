"""Building blocks without models: errors, clock, money, guarded HTTP, safe XML, paging."""

VERSION = "0.1.0"
