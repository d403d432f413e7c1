import pytest
from tests import given
pytestmark = pytest.mark.django_db

def test_entitlement_is_granted():
    e = given.entitlement()
    assert e.version == 1
    assert e.history.get().change_request_number
    assert e.pool.granted == 10
