import multiprocessing
import os
import tempfile
import threading
import unittest

from fake_server import FakeServer
from the_eye import Client, session


class ClientTest(unittest.TestCase):
    def setUp(self):
        self.errors = []

    def server(self, *args, **options):
        server = FakeServer(*args, **options)
        self.addCleanup(server.close)
        return server

    def client(self, url, **options):
        client = Client(url, on_error=self.errors.append, **{"flush_interval": 0.01, **options})
        self.addCleanup(client.close, 0)
        return client

    def codes(self):
        return [error.code for error in self.errors]

    def test_sends_events_in_their_order_with_the_key_and_the_session(self):
        server = self.server()
        client = self.client(server.url, key="eye_ingest_x")
        with session("visit-1"):
            self.assertTrue(client.track("a", {"n": 1}))
            self.assertTrue(client.page("/home"))
        self.assertTrue(client.track("b", session_id="visit-2", category="c", timestamp="2026-01-01T00:00:00Z"))
        self.assertTrue(client.flush(10))
        first, second, third = server.events
        self.assertEqual((first["session_id"], first["category"], first["data"]), ("visit-1", "track", {"n": 1}))
        self.assertEqual((second["name"], second["data"]), ("pageview", {"path": "/home"}))
        self.assertEqual((third["session_id"], third["timestamp"]), ("visit-2", "2026-01-01T00:00:00Z"))
        self.assertLess(first["timestamp"], second["timestamp"])
        self.assertEqual(server.requests[0]["Authorization"], "Bearer eye_ingest_x")
        self.assertEqual(self.errors, [])

    def test_retries_when_the_server_asks_to_wait_and_reports_an_outage_once(self):
        server = self.server([(503, {"Retry-After": "0"}), (429, {"Retry-After": "0"})])
        client = self.client(server.url)
        client.track("a")
        self.assertTrue(client.flush(10))
        self.assertEqual(len(server.events), 1)
        self.assertEqual(self.codes(), ["unavailable"])

    def test_keeps_events_when_the_key_is_refused_and_asks_only_once(self):
        server = self.server([(401, {})] * 100)
        client = self.client(server.url, key="wrong")
        client.track("a")
        self.assertFalse(client.flush(0.5))
        self.assertEqual(len(server.requests), 1)
        client.close(0)
        self.assertEqual(self.codes(), ["unauthorized", "lost"])
        self.assertEqual(self.errors[-1].lost, 1)

    def test_keeps_events_when_something_else_responds_with_success(self):
        server = self.server([(200, {})] * 100)
        client = self.client(server.url)
        client.track("a")
        self.assertFalse(client.flush(0.5))
        self.assertEqual(self.codes(), ["misconfigured"])

    def test_halves_a_request_that_is_too_large(self):
        server = self.server(max_events=3)
        client = self.client(server.url, flush_interval=60)
        for n in range(20):
            client.track("a", {"n": n})
        self.assertTrue(client.flush(10))
        self.assertEqual([event["data"]["n"] for event in server.events], list(range(20)))

    def test_drops_and_reports_an_event_that_is_too_large_alone(self):
        server = self.server(max_events=0)
        client = self.client(server.url)
        client.track("a")
        self.assertTrue(client.flush(10))
        self.assertEqual(self.codes(), ["too_large"])
        self.assertIn('"name":"a"', self.errors[0].event)

    def test_compresses_large_requests_until_a_server_does_not_take_them(self):
        server = self.server()
        server.responses = [(415, {})]
        client = self.client(server.url)
        for _ in range(2):
            client.track("a", {"text": "x" * 5000})
            self.assertTrue(client.flush(10))
        self.assertEqual([r.get("Content-Encoding") for r in server.requests], ["gzip", None, None])
        self.assertEqual(len(server.events), 2)

    def test_never_raises_and_reports_what_it_does_not_accept(self):
        class Broken:
            def __str__(self):
                raise RuntimeError("no text")

        client = self.client("http://127.0.0.1:9", max_queue_bytes=1000)
        self.assertFalse(client.track("a", {"x": Broken()}))
        self.assertFalse(client.track("a", {"x": "x" * 2000}))
        self.assertFalse(client.track(Broken()))
        client.close(0)
        self.assertFalse(client.track("a"))
        self.assertEqual(self.codes(), ["not_encodable", "queue_full", "not_encodable", "closed"])

    def test_before_send_changes_drops_and_fails_closed(self):
        def hook(event):
            if event["name"] == "drop":
                return None
            if event["name"] == "fail":
                raise RuntimeError("bug")
            event["data"]["password"] = "***"
            return event

        server = self.server()
        client = self.client(server.url, before_send=hook)
        data = {"password": "secret"}
        self.assertEqual([client.track(name, data) for name in ("a", "drop", "fail")], [True, False, False])
        self.assertTrue(client.flush(10))
        self.assertEqual([event["data"] for event in server.events], [{"password": "***"}])
        self.assertEqual(data, {"password": "secret"})
        self.assertEqual(self.codes(), ["hook_failed"])

    def test_a_failing_error_hook_does_not_reach_the_application(self):
        def hook(_):
            raise RuntimeError("bug")

        client = Client("http://127.0.0.1:9", on_error=hook, max_queue_bytes=10)
        with self.assertLogs("the_eye", "ERROR"):
            self.assertFalse(client.track("a"))
        client.close(0)

    def test_refuses_an_address_without_http(self):
        for url in ("eye.example.com", "ftp://eye", "http://"):
            with self.assertRaises(ValueError):
                Client(url)

    @unittest.skipUnless(hasattr(os, "fork"), "there is no fork")
    def test_both_sides_of_a_fork_send_their_own_events_once(self):
        server = self.server()
        with tempfile.TemporaryDirectory() as folder:
            for spool in (None, folder):
                server.accepted.clear()
                client = self.client(server.url, flush_interval=60, spool=spool)
                client.track("parent", {"n": 1})
                children = [
                    multiprocessing.get_context("fork").Process(target=client.track, args=("child", {"n": n}))
                    for n in range(3)
                ]
                for child in children:
                    child.start()
                for child in children:
                    child.join()
                client.track("parent", {"n": 2})
                self.assertTrue(client.close(10))
                names = sorted(event["name"] for event in server.events)
                self.assertEqual(names, ["child"] * 3 + ["parent"] * 2)
            self.assertEqual(os.listdir(folder), [])

    def test_flush_of_a_closed_client_returns_what_close_returned(self):
        for server, sent in ((self.server([(401, {})] * 100), False), (self.server(), True)):
            client = self.client(server.url)
            client.track("a")
            waiting = []
            thread = threading.Thread(target=lambda: waiting.append(client.flush()), daemon=True)
            thread.start()
            self.assertIs(client.close(10 if sent else 0), sent)
            thread.join(10)
            self.assertEqual(waiting, [sent])
            self.assertIs(client.flush(), sent)

    def test_threads_lose_no_event(self):
        server = self.server()
        client = self.client(server.url)
        threads = [
            threading.Thread(target=lambda: [client.track("a") for _ in range(500)]) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertTrue(client.flush(30))
        self.assertEqual(len({event["timestamp"] for event in server.events}), 2000)


class SpoolTest(ClientTest):
    """The same with a folder, and what only a folder can do."""

    def client(self, url, **options):
        if "spool" not in options:
            folder = tempfile.TemporaryDirectory()
            self.addCleanup(folder.cleanup)
            options["spool"] = folder.name
        return super().client(url, **options)

    # Events that are not sent stay in the folder, so none is lost.
    def test_keeps_events_when_the_key_is_refused_and_asks_only_once(self):
        server = self.server([(401, {})])
        with tempfile.TemporaryDirectory() as folder:
            client = self.client(server.url, spool=folder)
            client.track("a")
            self.assertFalse(client.close(0.3))
            self.assertEqual(self.codes(), ["unauthorized"])
            self.client(server.url, spool=folder)
            self.wait_for(lambda: not os.listdir(folder))
        self.assertEqual(len(server.events), 1)

    def test_adopts_files_skips_torn_lines_and_reports_corrupt_ones(self):
        server = self.server()
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "1-1-a.ndjson"), "wb") as file:
                file.write(b'{"name":"a"}\n\0\0\0\n{"name":"b"}\n{"name":"torn"}')
            client = self.client(server.url, spool=folder)
            self.wait_for(lambda: not os.listdir(folder))
            self.assertTrue(client.close(10))
        self.assertEqual(server.events, [{"name": "a"}, {"name": "b"}])
        self.assertEqual(self.codes(), ["disk"])

    def test_leaves_the_files_of_a_client_that_lives(self):
        server = self.server()
        with tempfile.TemporaryDirectory() as folder:
            first = self.client(server.url, spool=folder, flush_interval=60)
            first.track("first")
            second = self.client(server.url, spool=folder)
            second.track("second")
            self.assertTrue(second.flush(10))
            self.assertEqual([event["name"] for event in server.events], ["second"])
            self.assertTrue(first.close(10))
        self.assertEqual([event["name"] for event in server.events], ["second", "first"])

    def test_holds_events_in_memory_while_the_folder_cannot_be_used(self):
        server = self.server()
        with tempfile.NamedTemporaryFile() as file:
            client = self.client(server.url, spool=file.name)
            self.assertTrue(client.track("a"))
            self.assertTrue(client.flush(10))
        self.assertEqual(len(server.events), 1)
        self.assertEqual(self.codes(), ["disk"])

    def wait_for(self, condition):
        ended = threading.Event()
        for _ in range(1000):
            if condition():
                return
            ended.wait(0.01)
        self.fail("The condition was not met.")


if __name__ == "__main__":
    unittest.main()
