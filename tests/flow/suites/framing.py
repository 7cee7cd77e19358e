"""framing.py -- the strict case tables of ../framing, one script a file."""
import os

from lib import table
from lib.claims import claim
from lib.gate import CALM, Gate, one_app
from lib.peers import Peer

FOLDER = os.path.join(os.path.dirname(os.path.dirname(__file__)), "framing")
TOP = {"size_limits": {"body": "1MiB"}, "timeouts": {"head": "2s", "first_byte": "3s"}}


def gate_before(origin, **app):
    """The gate, or another proxy where run.py was told so."""
    peer = os.environ.get("FLOW_PEER")
    return (
        Peer(peer, origin.port) if peer else Gate(one_app(origin.url, TOP, **{"waf": CALM, **app}))
    )


def run_requests(name, **app):
    with table.request_origin() as origin, gate_before(origin, **app) as gate:
        cases = table.load(os.path.join(FOLDER, name + ".yaml"))
        table.judge_all(
            cases, lambda case: table.judge_request({**case, "streams": bool(app)}, gate, origin)
        )


def run_responses(name):
    play = table.Play()
    with play.origin, gate_before(play.origin) as gate:
        cases = table.load(os.path.join(FOLDER, name + ".yaml"))
        table.judge_all(cases, lambda case: table.judge_response(case, gate, play))


@claim(limit=240)
def a_bad_content_length_is_refused():
    run_requests("content_length")


@claim(limit=120)
def a_good_content_length_delimits_the_body():
    run_requests("content_length_good")


@claim(limit=300)
def a_bad_transfer_encoding_is_refused():
    run_requests("transfer_encoding")


@claim(limit=300)
def a_bad_chunked_body_is_refused():
    run_requests("chunked")


@claim(limit=300)
def a_bad_chunked_body_that_streams_never_looks_complete():
    """With inspection off nothing is held: the origin sees the head, and then a cut."""
    run_requests("chunked", waf="off")


@claim(limit=120)
def a_good_chunked_body_is_framed_anew():
    run_requests("chunked_good")


@claim(limit=120)
def a_good_chunked_body_that_streams_is_framed_anew():
    run_requests("chunked_good", waf="off")


@claim(limit=300)
def a_bad_request_line_is_refused():
    run_requests("request_line")


@claim(limit=120)
def a_good_request_line_is_forwarded_as_it_came():
    run_requests("request_line_good")


@claim(limit=240)
def a_bad_field_line_is_refused():
    run_requests("fields")


@claim(limit=120)
def good_fields_are_forwarded_as_they_came():
    run_requests("fields_good")


@claim(limit=240)
def a_bad_host_is_refused():
    run_requests("host")


@claim(limit=120)
def a_good_host_is_kept():
    run_requests("host_good")


@claim(limit=120)
def fields_of_one_hop_end_here():
    run_requests("hop_by_hop")


@claim(limit=120)
def pipelined_requests_are_told_apart():
    run_requests("pipeline")


@claim(limit=120)
def expectations_are_met_or_refused():
    run_requests("expect")


@claim(limit=300)
def a_bad_answer_of_the_origin_is_502():
    run_responses("responses")


@claim(limit=120)
def a_good_answer_of_the_origin_is_kept():
    run_responses("responses_good")


@claim(limit=120)
def a_cut_answer_never_looks_complete():
    run_responses("responses_cut")


@claim(limit=120)
def no_spelling_of_a_path_passes_an_access_rule():
    rule = {"name": "no-admin", "path": "/admin*", "nocase": True, "do": "deny"}
    with table.request_origin() as origin, gate_before(origin, rules=[rule]) as gate:
        cases = table.load(os.path.join(FOLDER, "access.yaml"))
        table.judge_all(cases, lambda case: table.judge_access(case, gate, origin))
