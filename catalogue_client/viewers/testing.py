"""A test kit for viewer adapters, also of other packages: what the portal relies on, as tests.

Write a far side (a small server that behaves as your viewer, with what `FarSide` asks) and

    class TestMyViewer(ViewerContract):
        @pytest.fixture
        def adapter(self) -> Adapter:
            return my_viewer

        @pytest.fixture
        def far_side(self) -> Iterator[FarSide]:
            with MyServer() as server:
                yield server

The portal's settings must be those of tests (`DJANGO_SETTINGS_MODULE`), with 127.0.0.1 in
`OUTBOUND_ALLOW`. `tests/catalogue_client/test_viewer_contract.py` is a complete example.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol
from urllib.parse import urlsplit

import pytest

from catalogue_client.viewers.contract import Adapter, Look, Place, SourceLost, Upload
from common.errors import InvalidInput, ProviderError, ProviderRefused, ProviderUnreachable

DATA = bytes(range(256)) * 64
TOKEN = "tep0123456789abcdef"  # noqa: S105 (a name)
MOST_LOOKS = 30
GARBAGE = (b"", b"\x00\xff", b"<html>Welcome</html>", b"null", b"[" * 10_000, b'{"id": {}}')


class FarSide(Protocol):
    """A viewer on 127.0.0.1, and what a test can ask of it."""

    @property
    def place(self) -> Place:
        """Where it is, with credentials that it asks for."""
        ...

    def arrived(self) -> list[bytes]:
        """The files that arrived whole, or that it was told to fetch (then their addresses)."""
        ...

    def lose_answer(self) -> None:
        """Take the next file, but break the connection instead of answering."""
        ...

    def refuse(self) -> None:
        """Refuse the next file, in the viewer's own form."""
        ...

    def garble(self, body: bytes) -> None:
        """Answer everything from now on with status 200 and this."""
        ...

    def stop(self) -> None:
        """Go away."""
        ...


def upload(*, public: bool = True, lost: bool = False) -> Upload:
    """A small file; with `lost` its source breaks off in the middle."""

    @contextmanager
    def opened() -> Iterator[Iterator[bytes]]:
        yield _pieces(lost=lost)

    name = f"{TOKEN}_result-1234.tif"
    link = "https://portal.example.org/results/abc"
    return Upload(
        TOKEN, name, "Index: Naples", "image/tiff", len(DATA), public, opened, lambda: link
    )


def looked(adapter: Adapter, place: Place, handle: str, file: Upload) -> Look:
    """Look until it can be seen."""
    look = Look(handle)
    for _number in range(MOST_LOOKS):
        look = adapter.look(place, look.handle, file)
        if look.url:
            return look
    raise AssertionError("The file was never shown.")


class ViewerContract:
    """Inherit, and give the fixtures `adapter` and `far_side`."""

    finds = True
    """Whether the viewer can be asked what it was given."""
    streams = True
    """Whether it is given the bytes; else their address."""

    def test_it_shows_what_it_is_given_once(self, adapter: Adapter, far_side: FarSide) -> None:
        file = upload()
        handle = adapter.send(far_side.place, file)
        look = looked(adapter, far_side.place, handle, file)
        assert far_side.arrived() == [DATA if self.streams else file.link().encode()]
        assert urlsplit(look.url).scheme in ("http", "https")
        assert adapter.look(far_side.place, look.handle, file) == look
        assert all(s.kind in ("wms", "wmts", "wfs", "wcs") for s in look.services)

    def test_a_lost_answer_is_no_reason_to_send_it_again(
        self, adapter: Adapter, far_side: FarSide
    ) -> None:
        file = upload()
        if self.finds:
            assert adapter.find(far_side.place, file) is None
        far_side.lose_answer()
        with pytest.raises(ProviderError) as lost:
            adapter.send(far_side.place, file)
        assert not isinstance(lost.value, ProviderRefused | ProviderUnreachable)
        if not self.finds:
            with pytest.raises(ProviderRefused):
                adapter.find(far_side.place, file)
            return
        handle = self._found(adapter, far_side, file)
        assert looked(adapter, far_side.place, handle, file).url
        assert len(far_side.arrived()) == 1

    def test_half_a_file_never_arrives(self, adapter: Adapter, far_side: FarSide) -> None:
        if not self.streams:
            return
        with pytest.raises(SourceLost):
            adapter.send(far_side.place, upload(lost=True))
        assert far_side.arrived() == []

    def test_refusals_and_absence(self, adapter: Adapter, far_side: FarSide) -> None:
        far_side.refuse()
        with pytest.raises(ProviderRefused):
            adapter.send(far_side.place, upload())
        far_side.stop()
        with pytest.raises(ProviderUnreachable):
            adapter.send(far_side.place, upload())

    @pytest.mark.parametrize("body", GARBAGE)
    def test_nonsense_is_an_error_that_says_nothing_secret(
        self, adapter: Adapter, far_side: FarSide, body: bytes
    ) -> None:
        file = upload()
        handle = adapter.send(far_side.place, file)
        far_side.garble(body)
        with pytest.raises(ProviderError) as error:
            adapter.send(far_side.place, file)
        texts = [error.value.detail]
        try:
            assert adapter.look(far_side.place, handle, file).url == ""
        except ProviderError as looked_at:
            texts.append(looked_at.detail)
        for text in texts:
            assert "127.0.0.1" not in text
            assert not far_side.place.secret or far_side.place.secret not in text

    def test_what_is_removed_can_be_removed_again(
        self, adapter: Adapter, far_side: FarSide
    ) -> None:
        file = upload()
        look = looked(adapter, far_side.place, adapter.send(far_side.place, file), file)
        adapter.remove(far_side.place, look.handle)
        adapter.remove(far_side.place, look.handle)

    def test_settings_are_looked_at(self, adapter: Adapter, far_side: FarSide) -> None:
        adapter.check(far_side.place)
        for wrong in (Place("ftp://viewer.example.org/"), Place("nonsense"), Place("")):
            with pytest.raises(InvalidInput):
                adapter.check(wrong)

    def _found(self, adapter: Adapter, far_side: FarSide, file: Upload) -> str:
        for _number in range(MOST_LOOKS):
            handle = adapter.find(far_side.place, file)
            if handle:
                return handle
        raise AssertionError("The file that arrived was never found.")


def _pieces(*, lost: bool) -> Iterator[bytes]:
    yield DATA[:1000]
    if lost:
        raise SourceLost
    yield DATA[1000:]
