"""Small files of every type that may be attached."""

import io
import zipfile

from approvals.attachments.types import OPEN_DOCUMENT


def package(*names: str, mimetype: str = "") -> bytes:
    """A ZIP package with entries of those names; `mimetype` stands uncompressed as the first."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        if mimetype:
            archive.writestr("mimetype", mimetype, compress_type=zipfile.ZIP_STORED)
        for name in names:
            archive.writestr(name, f"<{name}/>")
    return written.getvalue()


PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"
MAIL = b"From: ada@example.com\r\nDate: Mon, 2 Mar 2026 10:00:00 +0000\r\nSubject: The order\r\n\r\nHere it is.\r\n"
GOOD = {
    "order.pdf": PDF,
    "screen.png": PNG,
    "photo.jpg": JPEG,
    "photo.jpeg": JPEG,
    "note.txt": "Zwölf Plätze\n".encode(),
    "people.csv": b"\xef\xbb\xbfname;seats\r\nAda;1\r\n",
    "answer.json": b'{"seats": 12}',
    "consent.eml": MAIL,
    "terms.docx": package("[Content_Types].xml", "word/document.xml"),
    "prices.xlsx": package("[Content_Types].xml", "xl/workbook.xml"),
    "letter.odt": package("content.xml", mimetype=OPEN_DOCUMENT),
}
