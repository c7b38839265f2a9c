"""For each setting a test that fails where the setting is ignored; the long form ignores each in a copy of the code."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from service.settings import Settings

ROOT: Final = Path(__file__).parents[3]
HTTP: Final = "tests/service/http"
AWAY: Final = f"{HTTP}/test_what_needs_no_missing_server_is_served.py"
BOUNDED: Final = f"{HTTP}/test_heads_and_connections_are_bounded.py"
BUSY: Final = f"{HTTP}/test_a_busy_connection_is_kept_and_an_unread_one_ended.py"
DISK: Final = f"{HTTP}/test_the_room_on_the_disk_is_told.py"
HISTORIES: Final = f"{HTTP}/test_looking_back_is_bounded.py"
KEYS: Final = "tests/service/test_tokens_need_keys_that_may_be_used.py"
LAG: Final = "tests/service/cli/projections/test_a_projection_that_falls_behind_is_told.py"
MANY: Final = f"{HTTP}/test_too_many_requests_are_refused.py"
PRIORITY: Final = "tests/infrastructure/readmodels/test_a_projection_with_priority_goes_first.py"
RATE: Final = (
    f"{HTTP}/test_each_sender_has_a_rate_of_its_own.py"
    "::test_one_that_asks_too_often_comes_back_after_a_second_and_another_is_not_held_up"
)
SKIPS: Final = "tests/infrastructure/readmodels/test_a_setting_skips_what_cannot_be_read.py"
SERVE: Final = (
    "tests/service/test_every_setting_is_read_and_has_an_effect.py"
    "::test_what_file_variables_and_options_say_reaches_each_process_and_the_port_for_metrics_the_api_alone"
)
STUCK: Final = "tests/service/workers/test_a_saga_that_stands_still_is_seen.py"
TLS: Final = f"{HTTP}/test_the_api_speaks_tls.py::test_it_answers_by_https"
TOO_LARGE: Final = f"{BOUNDED}::test_what_is_too_large_is_refused"
TRACES: Final = (
    "tests/service/telemetry/test_a_collector_that_is_away_costs_nothing_but_its_spans.py"
    "::test_the_share_that_is_recorded_is_as_the_setting_says"
)
TRIPS: Final = "tests/service/test_trips_end_as_their_streams_say.py"
RULES: Final = f"{KEYS}::test_settings_say_whom_tokens_are_for_and_by_which_algorithms"
OWN_KEYS: Final = f"{KEYS}::test_an_api_takes_tokens_by_the_keys_that_are_named"
EFFECTS: Final = {
    "eventstore_uri": f"{AWAY}::test_commands_go_on_while_redis_is_away",
    "redis_uri": f"{AWAY}::test_queries_go_on_where_the_store_was_never_found",
    "namespace": SERVE,
    "disk_free_mib": f"{DISK}::test_the_setting_says_how_much_room_there_has_to_be",
    "metrics_port": SERVE,
    "metrics_host": (
        "tests/service/workers/test_a_worker_by_itself_serves_its_metrics.py::test_another_address_may_be_chosen"
    ),
    "partitions": SERVE,
    "projection_workers": SERVE,
    "skip_unreadable": f"{SKIPS}::test_the_setting_names_the_projections",
    "priorities": f"{PRIORITY}::test_the_setting_names_them_in_their_order",
    "lag_events": f"{LAG}::test_it_is_behind_past_its_own_number_of_events_and_ok_when_it_has_caught_up",
    "lag_seconds": f"{LAG}::test_it_is_stuck_past_its_own_seconds_while_its_checkpoint_does_not_move",
    "audit_streams": SERVE,
    "command_seconds": f"{AWAY}::test_a_store_that_is_silent_is_waited_for_as_long_as_the_setting_says",
    "commands_at_once": f"{MANY}::test_as_many_commands_as_the_setting_says_are_worked_on",
    "commands_waiting": f"{MANY}::test_commands_beyond_those_at_work_and_waiting_are_refused",
    "cached_aggregates": (
        f"{HTTP}/test_aggregates_are_remembered_between_requests.py"
        "::test_what_is_remembered_is_decided_on_with_one_append"
    ),
    "requests_per_second": RATE,
    "requests_burst": RATE,
    "queries_at_once": f"{MANY}::test_queries_beyond_those_that_are_answered_are_refused",
    "queries_waiting": f"{MANY}::test_queries_that_wait_take_no_place_of_those_that_are_answered",
    "read_seconds": f"{AWAY}::test_nor_for_longer_than_the_setting_says_where_redis_is_silent",
    "histories_at_once": f"{HISTORIES}::test_as_many_look_back_at_once_as_the_setting_says",
    "history_seconds": f"{HISTORIES}::test_a_store_that_is_silent_is_waited_for_as_long_as_the_setting_says",
    "flight_confirmation_seconds": (
        f"{TRIPS}::test_a_word_in_time_books_and_none_within_the_second_of_the_setting_cancels"
    ),
    "saga_stuck_seconds": f"{STUCK}::test_instances_that_are_paused_or_left_as_they_are_for_long_are_told",
    "tls_certificate_file": TLS,
    "tls_key_file": TLS,
    "head_bytes": TOO_LARGE,
    "url_bytes": TOO_LARGE,
    "header_bytes": TOO_LARGE,
    "headers": TOO_LARGE,
    "head_seconds": f"{BOUNDED}::test_a_head_that_comes_too_slowly_is_refused",
    "body_seconds": f"{BOUNDED}::test_a_body_that_comes_too_slowly_is_refused",
    "send_seconds": f"{BUSY}::test_a_client_that_does_not_read_is_ended",
    "keep_alive_seconds": f"{BOUNDED}::test_a_connection_rests_as_long_as_the_setting_says",
    "connections": f"{BOUNDED}::test_connections_that_rest_make_room",
    "pending_per_address": f"{BOUNDED}::test_half_requests_of_one_address_lock_nobody_out",
    "access_keys": OWN_KEYS,
    "access_algorithms": RULES,
    "access_audience": RULES,
    "access_issuer": RULES,
    "access_leeway_seconds": RULES,
    "development_key": OWN_KEYS,
    "production": f"{KEYS}::test_an_api_in_production_does_not_start_without_keys",
    "token_file": (
        "tests/service/cli/tokens/test_a_token_is_revoked.py"
        "::test_the_command_line_is_the_login_name_or_the_subject_of_its_token"
    ),
    "otlp_endpoint": (
        "tests/service/telemetry/test_one_trace_leads_from_a_request_to_the_last_command.py"
        "::test_the_collector_has_got_the_same_spans"
    ),
    "traces_file": TRACES,
    "traces_ratio": TRACES,
}
# Whatever reads the setting of this name reads its default.
IGNORED: Final = """

def _ignored(settings: Settings, name: str) -> object:
    if name == {name!r}:
        return Settings.model_fields[name].default
    return object.__getattribute__(settings, name)


Settings.__getattribute__ = _ignored
"""
NONE: Final = "none of them"


def test_each_has_one_and_each_of_these_is_there() -> None:
    assert list(EFFECTS) == list(Settings.model_fields)
    assert [test for test in EFFECTS.values() if not is_there(*test.split("::"))] == []


def is_there(file: str, name: str) -> bool:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return any(isinstance(node, ast.FunctionDef) and node.name == name for node in tree.body)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copy") / "foldstream"
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(".git", ".venv", ".*_cache", "__pycache__"))
    return folder


def failure(copy: Path, ignored: str, *tests: str) -> str | None:
    """What the first of these tests that fails in the copy says, where the code ignores the setting of this name."""
    model = (ROOT / "service" / "settings" / "model.py").read_text(encoding="utf-8")
    (copy / "service" / "settings" / "model.py").write_text(model + IGNORED.format(name=ignored), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "--exitfirst", *tests]
    in_the_copy = ["/usr/bin/env", f"PYTHONPATH={copy}", *command]
    ran = subprocess.run(in_the_copy, cwd=copy, capture_output=True, text=True, check=False)
    assert ran.returncode in {0, 1}, ran.stdout + ran.stderr
    return ran.stdout if ran.returncode else None


@pytest.mark.soak
@pytest.mark.timeout(1_200)
def test_all_pass_where_none_is_ignored(copy: Path) -> None:
    assert failure(copy, NONE, *sorted(set(EFFECTS.values()))) is None


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("setting", EFFECTS)
def test_it_fails_where_the_setting_is_ignored(copy: Path, figures: list[str], setting: str) -> None:
    """Takes a quarter of an hour for all."""
    said = failure(copy, setting, EFFECTS[setting])
    assert said is not None
    figures.append(f"{setting} ignored: {next(line for line in said.splitlines() if line.startswith('E  '))}")
