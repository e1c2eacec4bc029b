"""The published API document is that of the code: with every limit, example and status."""

import json

from api.http.app import openapi_document
from tests.docs.test_documents import ROOT


def test_the_published_document_is_the_one_that_the_service_gives() -> None:
    assert json.loads((ROOT / "docs/openapi.json").read_text()) == json.loads(json.dumps(openapi_document()))
