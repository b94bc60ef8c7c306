"""Why a raster is not read."""


class RefusalError(Exception):
    """`code` is one of not_placed, too_large, damaged."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
