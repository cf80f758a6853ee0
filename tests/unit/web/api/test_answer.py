"""Answers have the shapes that their routes declare."""

import msgspec

from parts.api import Api
from trimtab.views.memory import Memory
from trimtab.web.api.route_list import api_routes


def test_what_the_routes_answer_is_what_the_document_says(year: Api) -> None:
    """Each view is asked for once; its answer has no field that is not in its schema, and none is missing."""
    memory = Memory(year.store)
    memory.refresh()
    for each in api_routes(memory, year.tracking, "flights"):
        if each.method != "GET" or "{" in each.path or each.answer is None:
            continue
        answer = year.client.get(each.path)
        assert answer.status_code == 200, each.path
        found = msgspec.convert(answer.json(), each.answer)
        assert msgspec.json.decode(msgspec.json.encode(found)) == answer.json(), each.path
