"""The OpenAPI document describes everything that a route accepts."""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

from fastapi import APIRouter
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from api.http import routes
from api.http.app import openapi_document
from api.http.guard import GUARDED
from api.http.parameters import declared_query


def served() -> Iterator[APIRoute]:
    """Yield the routes of every module, whether the document has them or not."""
    for module in iter_modules(routes.__path__):
        for part in vars(import_module(f"{routes.__name__}.{module.name}")).values():
            if isinstance(part, APIRouter):
                yield from (route for route in part.routes if isinstance(route, APIRoute))


def headers_and_cookies(dependant: Dependant) -> Iterator[tuple[str, str]]:
    yield from (("header", field.alias.lower()) for field in dependant.header_params)
    yield from (("cookie", field.alias) for field in dependant.cookie_params)
    for part in dependant.dependencies:
        yield from headers_and_cookies(part)


def described(path: str) -> dict[str, set[tuple[str, str]]]:
    """Return the parameters of each method of a path."""
    return {
        method.upper(): {(one["in"], one["name"]) for one in call.get("parameters", ())}
        for method, call in openapi_document()["paths"][path].items()
    }


def test_every_route_is_in_the_document_with_all_that_it_accepts() -> None:
    routes_seen = 0
    for route in served():
        accepted = {("query", name) for name, _ in declared_query(route.dependant)}
        accepted |= {("path", field.alias) for field in route.dependant.path_params}
        accepted |= set(headers_and_cookies(route.dependant))

        for method in route.methods or ():
            assert described(route.path)[method] == accepted, (method, route.path)
            routes_seen += 1
    assert routes_seen == sum(len(item) for item in openapi_document()["paths"].values())


def test_the_stream_is_described_with_its_media_type_and_its_events() -> None:
    document = openapi_document()
    call = document["paths"]["/api/v1/events/stream"]["get"]
    schemas = document["components"]["schemas"]

    ((media_type, media),) = call["responses"]["200"]["content"].items()

    assert media_type == "text/event-stream"
    assert media["schema"]["contentSchema"]["items"] == {"$ref": "#/components/schemas/StreamedEvent"}
    assert media.keys() == {"schema"}
    assert {one["$ref"].rpartition("/")[2] for one in schemas["StreamedEvent"]["properties"]["data"]["anyOf"]} == {
        "AuditEntry",
        "StreamReset",
    }
    assert {"401", "403", "422", "429", "503"} <= call["responses"].keys()
    trail = document["paths"]["/api/v1/audit"]["get"]["parameters"]
    filters = {one["name"] for one in trail} - {"order", "limit", "cursor"}
    assert {one["name"] for one in call["parameters"]} == {*filters, "after", "last-event-id"}


def test_a_path_is_described_as_guarded_if_and_only_if_it_is() -> None:
    for path, item in openapi_document()["paths"].items():
        for method, call in item.items():
            assert ("security" in call) == path.startswith(GUARDED), (method, path)
            if path.startswith(GUARDED):
                assert call["security"] == [{"HTTPBearer": []}, {}]
                assert {"200", "202"} & call["responses"].keys()
                assert {"401", "403", "422", "429", "503"} <= call["responses"].keys(), (method, path)


def test_health_checks_need_no_token() -> None:
    paths = openapi_document()["paths"]

    assert {path for path in paths if not path.startswith(GUARDED)} == {"/livez", "/readyz"}
    for method in ("get", "head"):
        assert paths["/livez"][method]["responses"].keys() == {"200", "403", "422"}
        assert paths["/readyz"][method]["responses"].keys() == {"200", "403", "422", "503"}
