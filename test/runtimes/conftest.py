import pytest
from runtime_api import RuntimeApi


@pytest.fixture
def api():
    with RuntimeApi() as api:
        yield api
