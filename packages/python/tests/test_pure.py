import dataclasses
import datetime
import decimal
import enum
import json
import math
import pathlib
import threading
import unittest
import uuid

from the_eye.clock import UniqueClock, format_datetime, format_us
from the_eye.encoding import MAX_DEPTH, EncodingError, dump, to_json_value
from the_eye.sessions import current_session, session
from the_eye.transport import _seconds


class Color(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Point:
    x: int
    label: str


class EncodingTest(unittest.TestCase):
    def test_types_become_json(self):
        cases = [
            (None, None),
            (True, True),
            (2**53 - 1, 2**53 - 1),
            (2**53, "9007199254740992"),
            (-(2**60), "-1152921504606846976"),
            (0.1, 0.1),
            (math.nan, "NaN"),
            (math.inf, "Infinity"),
            (-math.inf, "-Infinity"),
            (decimal.Decimal("1.10"), "1.10"),
            (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
            (datetime.datetime(2026, 1, 2, 3, 4, 5), "2026-01-02T03:04:05"),
            (datetime.date(2026, 1, 2), "2026-01-02"),
            (datetime.timedelta(minutes=1.5), 90.0),
            (b"\xff\x00", "/wA="),
            ({3, 1, 2}, [1, 2, 3]),
            ((1, [2]), [1, [2]]),
            (Color.RED, "red"),
            (Point(1, "a"), {"x": 1, "label": "a"}),
            ({1: {Color.RED: pathlib.PurePosixPath("/a")}}, {"1": {"red": "/a"}}),
            ("a\0b\ud800c\U0001f600", "a\ufffdb\ufffdc\U0001f600"),
        ]
        for value, expected in cases:
            with self.subTest(value=value):
                result = to_json_value(value)
                self.assertEqual(result, expected)
                self.assertIs(type(result), type(expected))

    def test_minus_zero_loses_its_sign_which_the_server_would_refuse(self):
        self.assertEqual(dump(to_json_value(-0.0)), "0.0")

    def test_a_value_that_contains_itself_is_refused(self):
        value = {}
        value["self"] = value
        with self.assertRaises(EncodingError):
            to_json_value(value)

    def test_depth_is_limited(self):
        def nested(levels):
            value = 1
            for _ in range(levels):
                value = [value]
            return value

        to_json_value(nested(MAX_DEPTH + 1))
        with self.assertRaises(EncodingError):
            to_json_value(nested(MAX_DEPTH + 2))

    def test_two_keys_that_become_one_are_refused_rather_than_one_lost(self):
        with self.assertRaises(EncodingError):
            to_json_value({1: "a", "1": "b"})

    def test_the_text_is_compact_and_valid_utf8(self):
        text = dump(to_json_value({"a": [1, "é\ud83d"]}))
        self.assertEqual(text, '{"a":[1,"é\ufffd"]}')
        self.assertEqual(json.loads(text.encode()), {"a": [1, "é\ufffd"]})


class ClockTest(unittest.TestCase):
    def test_no_timestamp_is_given_twice_although_the_clock_stands_still(self):
        clock = UniqueClock(lambda: 1_000_000)
        times = [clock.now() for _ in range(3)]
        self.assertEqual(times, [f"1970-01-01T00:00:01.00000{i}Z" for i in range(3)])

    def test_a_small_step_back_does_not_repeat_timestamps(self):
        now = [5_000_000]
        clock = UniqueClock(lambda: now[0])
        first = clock.now()
        now[0] -= 1_000_000
        self.assertGreater(clock.now(), first)

    def test_a_large_step_back_is_followed_so_that_events_do_not_lie_in_the_future(self):
        now = [10_000_000_000]
        clock = UniqueClock(lambda: now[0])
        clock.now()
        now[0] = 5_000_000
        self.assertEqual(clock.now(), "1970-01-01T00:00:05.000000Z")

    def test_threads_share_no_timestamp(self):
        clock = UniqueClock()
        times = []
        threads = [threading.Thread(target=lambda: times.extend(clock.now() for _ in range(2000))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(set(times)), 8000)

    def test_formats(self):
        self.assertEqual(format_us(1609492529243860), "2021-01-01T09:15:29.243860Z")
        zone = datetime.timezone(datetime.timedelta(hours=2))
        moment = datetime.datetime(2021, 1, 1, 11, 15, 29, 5, zone)
        self.assertEqual(format_datetime(moment), "2021-01-01T09:15:29.000005Z")


class SessionTest(unittest.TestCase):
    def test_sessions_nest_and_end(self):
        with session(1):
            with session("inner"):
                self.assertEqual(current_session(), "inner")
            self.assertEqual(current_session(), "1")
        self.assertIsNone(current_session())


class RetryAfterTest(unittest.TestCase):
    def test_seconds_dates_and_nonsense(self):
        self.assertEqual(_seconds("7"), 7)
        self.assertEqual(_seconds("Wed, 21 Oct 2015 07:28:00 GMT"), 0)
        for value in (None, "", "soon", "-1"):
            self.assertIsNone(_seconds(value))


if __name__ == "__main__":
    unittest.main()
