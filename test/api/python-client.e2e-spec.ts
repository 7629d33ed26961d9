import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Event, type TheEye } from '../../testing/the-eye.js';
import { PythonSender, pythonWith, runPython } from '../support/python.js';
import { startEye } from '../support/start-eye.js';
import { UnreliableProxy } from '../support/unreliable-proxy.js';

const python = pythonWith('ssl');
if (python === undefined) console.warn('Skipped: the client for Python: there is no python3.');

const django = pythonWith('django, asgiref.sync');
if (django === undefined)
  console.warn(
    'Skipped: the middleware for Django, which is not installed (apt-get install python3-django).',
  );

const TYPES = `
import datetime, decimal, math, uuid
from the_eye import Client, session

data = {
    "big": 2**60, "safe": 2**53 - 1, "float": 0.1, "tiny": 5e-324, "minus_zero": -0.0, "nan": math.nan,
    "decimal": decimal.Decimal("1.10"), "uuid": uuid.UUID(int=1), "bytes": b"\\xff", "set": {2, 1},
    "text": "a\\0b\\ud800", "day": datetime.date(2026, 1, 2), 1: None,
}
with Client(EYE_URL) as eye, session("types"):
    assert eye.track("types", data)
`;

const REFUSED = `
from the_eye import Client

errors = []
with Client(EYE_URL, on_error=errors.append, flush_interval=60) as eye:
    for name in ("good", "", "also good"):
        assert eye.track(name, session_id="refused")
with Client(EYE_URL, on_error=errors.append) as eye:
    eye.track("all of them", session_id="")
for error in errors:
    print(error.code, error.message, '"name":""' in error.event)
`;

const DJANGO = `
import django
from django.conf import settings

settings.configure(
    SECRET_KEY="secret", ALLOWED_HOSTS=["*"], ROOT_URLCONF="__main__", THE_EYE_URL=EYE_URL, THE_EYE_EXCLUDE=["/health"],
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware", "django_middleware.TheEyeMiddleware"],
)
django.setup()

import asyncio, django_middleware
from django.http import HttpResponse
from django.test import AsyncClient, Client
from django.urls import path

def greet(request, name):
    django_middleware.client().track("greeting", category="view")
    return HttpResponse(name)

def login(request):
    request.session["_auth_user_id"] = "7"
    return HttpResponse()

def fail(request):
    raise RuntimeError("bug")

async def wait(request):
    return HttpResponse(status=204)

urlpatterns = [path("hello/<str:name>", greet), path("login", login), path("fail", fail), path("wait", wait), path("health", wait)]

browser = Client(raise_request_exception=False)
assert browser.get("/hello/ann?token=secret").content == b"ann"
assert "Vary" not in browser.get("/hello/bob").headers
browser.get("/login")
browser.get("/fail")
browser.get("/health")
browser.get("/missing")
asyncio.run(AsyncClient().get("/wait"))
assert django_middleware.client().close()
`;

(python === undefined ? describe.skip : describe)('The client for Python', () => {
  let eye: TheEye;
  let proxy: UnreliableProxy;
  let folder: string;
  beforeAll(async () => {
    eye = await startEye();
    proxy = await UnreliableProxy.start(() => eye.url);
    folder = await mkdtemp(join(tmpdir(), 'eye-python-'));
  });
  afterAll(async () => {
    proxy.close();
    await eye.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Runs a program in which EYE_URL is the address of The Eye. */
  const run = (code: string, interpreter?: string): Promise<string> =>
    runPython(['-c', `EYE_URL = "${eye.url}"\n${code}`], {}, interpreter);

  const eventsWith = async (field: 'session_id' | 'category', value: string): Promise<Event[]> => {
    await eye.drained();
    return eye.sql<Event>(`SELECT * FROM events WHERE ${field} = $1 ORDER BY timestamp`, [value]);
  };

  it('passes its own tests', async () => {
    expect(await runPython(['-m', 'unittest', 'discover', '-s', 'tests'])).toMatch(/Ran \d\d tests[^]*\nOK/);
  });

  it('stores values of all types of Python as its page says', async () => {
    await run(TYPES);
    const [event] = await eventsWith('session_id', 'types');
    expect(event?.data).toEqual({
      big: '1152921504606846976',
      safe: Number.MAX_SAFE_INTEGER,
      float: 0.1,
      tiny: Number.MIN_VALUE,
      minus_zero: 0,
      nan: 'NaN',
      decimal: '1.10',
      uuid: '00000000-0000-0000-0000-000000000001',
      bytes: '/w==',
      set: [1, 2],
      text: 'a\uFFFDb\uFFFD',
      day: '2026-01-02',
      1: null,
    });
  });

  it('reports each refused event, and sends the others', async () => {
    const reports = (await run(REFUSED)).trim().split('\n');
    expect(reports).toEqual([
      expect.stringMatching(/^refused \{'name': .* True$/),
      expect.stringMatching(/^refused \{'session_id': .* False$/),
    ]);
    const names = (await eventsWith('session_id', 'refused')).map(({ name }) => name);
    expect(names).toEqual(['good', 'also good']);
  });

  it('stores every accepted event once, although responses are lost, and sender and The Eye are killed', async () => {
    proxy.loseResponses(2);
    const killed = PythonSender.start(proxy.url, folder, 'killed', 100_000);
    await killed.hasAccepted(200);
    await eye.end('SIGKILL');
    await killed.hasAccepted(killed.accepted.length + 200);
    await killed.kill();
    expect(await readdir(folder)).not.toEqual([]);
    // The next process sends what the killed one has left.
    const next = PythonSender.start(proxy.url, folder, 'next', 100);
    await next.hasAccepted(100);
    await eye.start();
    expect(await next.ended()).toBe(0);
    await eye.drained();
    for (const [session, { accepted }] of [
      ['killed', killed],
      ['next', next],
    ] as const) {
      const rows = await eye.sql<{ n: number }>(
        "SELECT (data->>'n')::int AS n FROM events WHERE session_id = $1 ORDER BY n",
        [session],
      );
      const stored = rows.map(({ n }) => n);
      // The sender may have been killed after it wrote an event and before it printed its number.
      const unprinted = stored.slice(accepted.length);
      expect(stored).toEqual([...accepted, ...unprinted]);
      expect(unprinted.length).toBeLessThanOrEqual(session === 'killed' ? 1 : 0);
    }
  });

  (django === undefined ? it.skip : it)('sends an event for each request of Django', async () => {
    await run(DJANGO, django);
    const events = (await eventsWith('category', 'http')).map(({ data, session_id }) => ({
      ...data,
      session_id,
    }));
    const request = (path: string, status: number, user_id: string | null, route: string | null): object =>
      expect.objectContaining({ method: 'GET', path, status, user_id, route });
    expect(events).toHaveLength(6);
    expect(events).toEqual(
      expect.arrayContaining([
        request('/hello/ann', 200, null, 'hello/<str:name>'),
        request('/hello/bob', 200, null, 'hello/<str:name>'),
        request('/login', 200, '7', 'login'),
        request('/fail', 500, null, 'fail'),
        request('/missing', 404, null, null),
        request('/wait', 204, null, 'wait'),
      ]),
    );
    const [greeting] = await eventsWith('category', 'view');
    expect(events.find((event) => 'path' in event && event.path === '/hello/ann')?.session_id).toBe(
      greeting?.session_id,
    );
  });
});
