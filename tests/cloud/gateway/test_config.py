"""Files of a gateway that are wrong name the line and the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from skerry.cloud.gateway.config import (
    Limits,
    Model,
    RequestClass,
    Role,
    Tenant,
    Tier,
    TierTable,
)
from skerry.cloud.gateway.errors import GatewayConfigError
from skerry.cloud.gateway.load import MOST_BYTES, load, parsed
from tests.cloud.gateway.configured import BASE, configured

LINES = BASE.count("\n")
LARGE = '[models.large]\ntier = "large"\ntemplate = "chat-1"\n'

CASES = {
    "unknown key": ("foo = 1", 1, "tenants.ops.foo: there is no such key"),
    "unknown table": ("[modles.x]", 1, "modles: there is no such key"),
    "no number": ('places = "3"', 1, "tenants.ops.places: "),
    "no quota": ("tokens_per_day = 0", 1, "tenants.ops.tokens_per_day: "),
    "no digest": ('[tenants.x]\nkeys = [{ digest = "secret" }]', 2, "tenants.x.keys.digest: "),
    "twice the same key": (
        '[tenants.x]\nkeys = [{ digest = "' + BASE.split('digest = "')[1][:64] + '" }]',
        2,
        "tenants.x.keys: this key is another's, too",
    ),
    "unknown tier": ('[classes.x]\ntier = "huge"', 2, "classes.x.tier: "),
    "tier without a model": (
        '[classes.x]\ntier = "large"',
        2,
        "classes.x.tier: no model is of the tier 'large'",
    ),
    "no place": (LARGE, 1, "models.large: give either replicas (URLs) or path (a GGUF file)"),
    "two places": (LARGE + 'path = "a"\nreplicas = ["http://a"]', 1, "models.large: give either"),
    "no URL": (LARGE + 'replicas = ["ftp://a"]', 4, "models.large.replicas: should be an http"),
    "a password": (LARGE + 'replicas = ["http://a:b@c"]', 4, "models.large.replicas: a URL holds"),
    "unknown fallback": (
        LARGE + 'replicas = ["http://a"]\nfallback = ["none"]',
        5,
        "models.large.fallback: there is no model 'none'",
    ),
    "a fallback that drafts": (
        LARGE + 'replicas = ["http://a"]\nfallback = ["own"]\n'
        '[models.own]\ntier = "mid"\ntemplate = "a"\npath = "x.gguf"',
        5,
        "models.large.fallback: 'own' is in this process",
    ),
    "unknown class": (
        '[tenants.x]\nclasses = ["y"]',
        2,
        "tenants.x.classes: there is no class 'y'; make it with [classes.y]",
    ),
    "unknown model": ('[tenants.x]\nmodels = ["y"]', 2, "tenants.x.models: there is no model 'y'"),
    "no TOML": ("= 3", 1, "not TOML"),
}


@pytest.mark.parametrize(("more", "line", "what"), CASES.values(), ids=CASES)
def test_what_is_wrong_is_named_with_its_line(more: str, line: int, what: str) -> None:
    with pytest.raises(GatewayConfigError) as error:
        configured(more)
    assert error.value.what.startswith(f"gateway.toml, line {LINES + line}: {what}")


def test_missing_tables_are_named() -> None:
    with pytest.raises(GatewayConfigError, match="give models or collections"):
        parsed('format = "skerry.gateway/1"\n[tenants.a]\n')


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(GatewayConfigError, match="cannot be read"):
            load(path)
    (tmp_path / "long.toml").write_text("#" * (MOST_BYTES + 1))
    with pytest.raises(GatewayConfigError, match="more than 1024 KiB"):
        load(tmp_path / "long.toml")
    (tmp_path / "good.toml").write_text(BASE)
    assert set(load(tmp_path / "good.toml").tenants) == {"clinic", "other", "ops"}


def test_the_first_model_of_a_tier_answers_for_it() -> None:
    own = '[models.own]\ntier = "large"\ntemplate = "a"\npath = "x.gguf"\n'
    config = configured(own + LARGE + 'replicas = ["http://a"]')
    assert config.model_of(Tier.LARGE) == "large"
    assert config.model_of(Tier.REASONING) is None


def test_roles_cover_those_below() -> None:
    assert Role.ADMIN.covers(Role.OPERATOR)
    assert Role.USER.covers(Role.USER)
    assert not Role.USER.covers(Role.OPERATOR)


def test_the_file_of_the_documentation_is_one() -> None:
    page = (Path(__file__).parents[3] / "docs" / "gateway.md").read_text()
    config = parsed(page.split("```toml\n")[1].split("```")[0])
    assert list(config.models) == ["mid-1", "large-1", "deep-1", "target"]
    for table in (Limits, Model, TierTable, RequestClass, Tenant):
        for key in table.model_fields:
            assert f"`{key}`" in page or f".{key}`" in page, f"{key} is not described"
