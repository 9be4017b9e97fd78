"""The handler alone, without AWS: python3 -m unittest discover test"""

import os
import sys
import types
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "server"))

import meditate  # noqa: E402


class Meditate(unittest.TestCase):
    context = types.SimpleNamespace(aws_request_id="8f5c-1")

    def test_answers_with_one_of_the_meditations(self):
        answer = meditate.handler({}, self.context)
        self.assertEqual(answer["status"], "success")
        self.assertIn(answer["meditation"], meditate.MEDITATIONS)

    def test_logs_the_request_id(self):
        with self.assertLogs(level="INFO") as logs:
            meditate.handler({}, self.context)
        self.assertIn("8f5c-1", logs.output[0])

    def test_is_not_always_the_same(self):
        answers = {meditate.handler({}, self.context)["meditation"] for _ in range(200)}
        self.assertGreater(len(answers), 5)

    def test_has_no_doubles(self):
        self.assertGreaterEqual(len(meditate.MEDITATIONS), 20)
        self.assertEqual(len(meditate.MEDITATIONS), len(set(meditate.MEDITATIONS)))


if __name__ == "__main__":
    unittest.main()
