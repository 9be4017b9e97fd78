"""The examples' own tests, as their Makefiles run them."""

import os
import shutil
import subprocess
import sys

import pytest
from runtime_api import ROOT


@pytest.mark.parametrize("name", ["meditations", "notes-to-s3"])
def test_make_test(name):
    if name == "notes-to-s3" and not shutil.which("perl"):
        pytest.skip("there is no perl")
    done = subprocess.run(["make", "-C", os.path.join(ROOT, "examples", name), "test",
                           "PYTHON=" + sys.executable], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
