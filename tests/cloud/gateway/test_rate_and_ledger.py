"""Rates, quotas and accounts. Pure, or with a state that fails now and then."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.cloud.gateway.config import Model, Tenant, Tier
from skerry.cloud.gateway.errors import Refusal, StateError
from skerry.cloud.gateway.fleet import Fleet
from skerry.cloud.gateway.gate import Gate
from skerry.cloud.gateway.keeping import Keeper
from skerry.cloud.gateway.ledger import Ledger, cost
from skerry.cloud.gateway.rate import Rates
from skerry.cloud.gateway.state import opened
from skerry.cloud.gateway.state.base import Use
from tests.cloud.gateway.configured import OTHER, USER, configured

NOON = 1_700_049_600.0  # 2023-11-15 12:00 UTC
USE = Use("2023-11-15", "clinic", "default", "mid", 1, 10, 5, 0, 0, 0, 0.5)


def test_a_bucket_holds_a_burst_and_runs_out_at_its_rate() -> None:
    rates = Rates()
    assert [rates.take("a", 0, per_s=2, burst=3) for _ in range(3)] == [0, 0, 0]
    assert rates.take("a", 0, per_s=2, burst=3) == pytest.approx(0.5)
    assert rates.take("b", 0, per_s=2, burst=3) == 0, "each owner has its own"
    assert rates.take("a", 0.5, per_s=2, burst=3) == 0
    assert rates.take("a", 0.5, per_s=2, burst=3) > 0


@given(st.lists(st.floats(0, 5), max_size=60), st.integers(1, 5), st.floats(0.1, 10))
def test_never_more_than_the_burst_and_the_rate(
    gaps: list[float], burst: int, per_s: float
) -> None:
    rates, now, taken = Rates(), 0.0, 0
    for gap in gaps:
        now += gap
        wait = rates.take("a", now, per_s=per_s, burst=burst)
        taken += not wait
        if wait:
            later = now + wait + 1e-6
            assert rates.take("a", later, per_s=per_s, burst=burst) == 0
            now, taken = later, taken + 1
    assert taken <= burst + now * per_s + 1e-3


def test_a_clock_that_is_set_back_keeps_nobody_out() -> None:
    base = configured()
    tenants = {"clinic": base.tenants["clinic"].model_copy(update={"burst": 1})}
    now, passed = [NOON], [0.0]
    changed = base.model_copy(update={"tenants": tenants})
    gate = Gate(changed, clock=lambda: now[0], steady=lambda: passed[0])
    shown = {"authorization": f"Bearer {USER}"}
    with gate.ticket(shown):
        pass
    now[0] -= 3_600
    with pytest.raises(Refusal, match="requests a minute") as refused, gate.ticket(shown):
        pass
    assert refused.value.retry_s is not None
    assert refused.value.retry_s < 2
    passed[0] += refused.value.retry_s
    with gate.ticket(shown):
        pass


def test_cost_is_for_a_thousand_tokens() -> None:
    model = Model(tier=Tier.MID, template="a", replicas=("http://a",), price_in=0.5, price_out=2.0)
    assert cost(model, 1_000, 500) == pytest.approx(1.5)


def test_a_quota_begins_again_at_midnight() -> None:
    now = [NOON]
    ledger, rules = Ledger(lambda: now[0]), Tenant(tokens_per_day=15)
    ledger.add(replace(USE, completion_tokens=4))
    ledger.check("clinic", rules)
    ledger.add(replace(USE, prompt_tokens=0, completion_tokens=1))
    with pytest.raises(Refusal) as refused:
        ledger.check("clinic", rules)
    assert refused.value.code == "insufficient_quota"
    assert refused.value.retry_s == 12 * 3600
    now[0] += 12 * 3600
    ledger.check("clinic", rules)
    ledger.check("other", rules)


def test_what_cannot_be_written_waits_and_counts() -> None:
    ledger = Ledger(lambda: NOON)
    ledger.add(USE)
    uses = ledger.taken()
    ledger.add(USE)
    assert ledger.spent("clinic") == 30
    ledger.given_back(uses)
    (both,) = ledger.taken()
    assert (both.requests, both.prompt_tokens, both.cost) == (2, 20, 1.0)
    assert ledger.spent("clinic") == 30
    ledger.written({"clinic": 45})
    assert ledger.spent("clinic") == 45, "what another gateway booked counts"
    assert ledger.taken() == []


async def test_a_state_that_fails_loses_nothing(tmp_path: Path) -> None:
    config = configured()
    gate, state = Gate(config), opened("gateway.db", tmp_path)
    keeper = Keeper(gate, Fleet(config), state)
    gate.ledger.add(USE)
    state.close()
    await keeper.step()
    assert isinstance(keeper.fault, StateError)
    again = opened("gateway.db", tmp_path)
    keeper = Keeper(gate, Fleet(config), again)
    await keeper.step()
    assert keeper.fault is None
    assert again.usage("") == [USE]
    again.close()


async def test_gateways_share_a_tenants_rate_and_know_of_each_other(tmp_path: Path) -> None:
    config = configured()
    gates = [Gate(config), Gate(config)]
    state = opened("gateway.db", tmp_path)
    keepers = [Keeper(gate, Fleet(config), state) for gate in gates]
    for keeper in (*keepers, *keepers):
        await keeper.step()
    assert [gate.gateways for gate in gates] == [2, 2]
    gates[0].ledger.add(replace(USE, day=gates[0].ledger.today))
    for keeper in keepers:
        await keeper.step()
    assert [gate.ledger.spent("clinic") for gate in gates] == [15, 15]
    state.close()


def test_requests_of_one_tenant_that_are_open() -> None:
    base = configured("[limits]\nwaiting = 2\n")
    tenants = {**base.tenants, "clinic": base.tenants["clinic"].model_copy(update={"places": 1})}
    gate = Gate(base.model_copy(update={"tenants": tenants}))
    shown = {"authorization": f"Bearer {USER}"}
    with gate.ticket(shown), gate.ticket(shown):
        with pytest.raises(Refusal) as refused, gate.ticket(shown):
            pass
        assert refused.value.code == "queue_full"
        with gate.ticket({"authorization": f"Bearer {OTHER}"}):
            assert gate.under_way == 3
    gate.closing = True
    with pytest.raises(Refusal) as refused, gate.ticket(shown):
        pass
    assert refused.value.code == "stopping"
