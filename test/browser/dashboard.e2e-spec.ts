import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { startBrowser, Viewer } from '../../testing/browser.js';
import { Admin, bearer } from '../../testing/keys.js';
import { anEvent, eventually, TheEye } from '../../testing/the-eye.js';
import { seriousViolations } from '../support/accessibility.js';
import { Copy } from '../support/replication.js';
import { ANY_AGE, startEye, startEyeWithClickHouse } from '../support/start-eye.js';

const HOUR = 3_600_000;
const MARKUP = '<img src="x" onerror="window.ran = true"><script>window.ran = true</script>';

/** Every view, with a selector that matches once the view is loaded. */
const VIEWS = {
  '#/now': '.tail li',
  '#/history?range=day': '.plot[aria-label^="Events over time"]',
  '#/events': '.rows[aria-label="Events"] li',
  '#/sessions': '.sessions li',
  '#/sessions/journey': '.timeline li',
  '#/refused': '.rejections li',
};

const ago = (milliseconds: number): string => new Date(Date.now() - milliseconds).toISOString();

const COLOUR_RULES = ['color-contrast', 'link-in-text-block'];

/** Returns a fixed port, so that The Eye has the same address after a restart. */
async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return String(port);
}

describe('The dashboard', () => {
  let eye: TheEye;
  let copy: Copy;
  let browser: Browser;
  let viewer: Viewer;
  let page: Page;

  beforeAll(async () => {
    [eye, browser] = await Promise.all([
      startEyeWithClickHouse({ PORT: await freePort(), REJECTIONS_SAMPLE: '10000', ...ANY_AGE }),
      startBrowser(),
    ]);
    copy = new Copy(eye);
    viewer = await Viewer.open(browser, eye.url);
    ({ page } = viewer);
  });
  afterAll(async () => {
    await browser?.close();
    await eye?.close();
  });

  it('is served with a Content-Security-Policy that allows only its own files', async () => {
    const { status, headers, body } = await eye.get('/');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch('text/html');
    const policy = headers.get('content-security-policy');
    expect(policy).toContain("default-src 'self'");
    expect(policy).not.toContain('unsafe');
    expect(body).not.toMatch(/<script>|<style| style=| on\w+=/);
  });

  it.each([
    '/dashboard/../package.json',
    '/dashboard/%2e%2e/dashboard.module.js',
    '/dashboard/..%2fdashboard.module.js',
    '/dashboard/vendor/..%2f..%2fpackage.json',
    '/dashboard/vendor/uPlot.d.ts',
    '/dashboard/nothing.js',
    '/dashboard/',
  ])('does not serve files outside the page: %s', async (path) => {
    const { status, headers } = await eye.get(path);
    expect([403, 404]).toContain(status);
    expect(headers.get('content-type')).toContain('problem+json');
  });

  it('shows a command that sends the first event, and then the event', async () => {
    await viewer.goto('#/sessions');
    await page.getByText('There is no session yet.').waitFor();
    for (const view of ['#/history?range=all', '#/events', '#/now']) {
      await viewer.goto(view);
      await page.getByText('No event has been stored yet.').waitFor();
    }
    const command = await page.locator('.first pre').textContent();
    await promisify(execFile)('sh', ['-c', command ?? '']);
    await page.locator('.tail li', { hasText: 'pageview' }).waitFor();
    expect(await page.getByText('No event has been stored yet.').isVisible()).toBe(false);
  });

  describe('in its Now view', () => {
    it('plots accepted and stored events and shows the health of The Eye', async () => {
      await eye.store(Array.from({ length: 200 }, () => anEvent()));
      await page
        .getByRole('img', { name: /accepted (?!0,)[\d.]+, stored (?!0,)[\d.]+, refused 0/ })
        .waitFor();
      await page.locator('.plot canvas').waitFor();
      for (const words of ['PostgreSQL is up', 'Redis is up', 'The backlog is empty', 'ClickHouse is up'])
        await page.locator('.health').getByText(words, { exact: true }).waitFor();
    });

    it('shows events as they are stored and buffers them while it is paused', async () => {
      // During a burst, the stream may skip events for a subscriber.
      await eventually(async () => {
        await eye.store(anEvent({ session_id: 'before the pause', data: { at: Date.now() } }));
        await page.locator('.tail li', { hasText: 'before the pause' }).first().waitFor({ timeout: 1000 });
      });
      await page.getByRole('button', { name: 'Pause' }).click();
      await eye.store(anEvent({ session_id: 'in the pause' }));
      await page.getByText(/^Paused, 1 newer event/).waitFor();
      expect(await page.locator('.tail li', { hasText: 'in the pause' }).count()).toBe(0);
      await page.getByRole('button', { name: 'Resume' }).click();
      await page.locator('.tail li', { hasText: 'in the pause' }).waitFor();
    });

    it('shows only events that match the filters in the URL', async () => {
      await page.getByLabel('Category').fill('wanted');
      await page.keyboard.press('Enter');
      await page.getByText('No event matches these filters yet.').waitFor();
      expect(viewer.hash).toBe('#/now?category=wanted');
      await eye.store([anEvent({ category: 'unwanted' }), anEvent({ category: 'wanted' })]);
      await page.locator('.tail li').waitFor();
      expect(await page.locator('.tail .type').allTextContents()).toEqual(['wanted pageview']);
    });

    it('limits its list to 100 events during a burst', async () => {
      await viewer.goto('#/now');
      for (let i = 0; i < 5; i++)
        await eye.post(
          '/events/',
          Array.from({ length: 1000 }, () => anEvent()),
        );
      // The page counts skipped events, too.
      await eventually(async () => {
        const words = (await page.locator('.state').textContent()) ?? '';
        const [seen = 0, skipped = 0] = [...words.replaceAll(',', '').matchAll(/\d+/g)].map(Number);
        expect(seen + skipped).toBeGreaterThanOrEqual(5000);
      }, 60_000);
      expect(await page.locator('.tail li').count()).toBe(100);
    });
  });

  describe('with stored events and rejections', () => {
    beforeAll(async () => {
      await eye.request('PUT', '/event-types/order/place/', {
        body: JSON.stringify({
          mode: 'enforce',
          schema: { properties: { host: { type: 'string' } }, required: ['host'] },
        }),
        headers: { 'content-type': 'application/json' },
      });
      await eye.store([
        ...Array.from({ length: 30 }, (_, at) =>
          anEvent({ category: 'search', timestamp: ago((at % 10) * HOUR) }),
        ),
        ...Array.from({ length: 70 }, (_, at) =>
          anEvent({ category: 'click', timestamp: ago((at % 20) * HOUR) }),
        ),
        anEvent({ session_id: 'journey', timestamp: '2026-01-01T10:00:00.000001Z', data: { text: MARKUP } }),
        anEvent({ session_id: 'journey', timestamp: '2026-01-01T10:00:01.500001Z', name: 'second' }),
        anEvent({ session_id: 'journey', timestamp: '2026-01-01T12:00:01.500001Z', name: 'third' }),
      ]);
      const order = { category: 'order', name: 'place', timestamp: ago(0) };
      const bad = { ...order, data: { path: '/', host: 4711 } };
      await eye.post('/events/', [
        anEvent(bad),
        anEvent({ name: '' }),
        anEvent({ session_id: MARKUP, data: 'text' }),
      ]);
      await eventually(async () => expect((await eye.get('/rejections/')).body.count).toBe(3));
      await copy.caughtUp();
    });

    const total = async (): Promise<number> => {
      const text = await page.locator('.foot b').first().textContent();
      return Number.parseInt((text ?? '').replaceAll(',', ''));
    };

    it('plots the history by category with rankings and zooms in on a selection', async () => {
      await viewer.goto('#/history?range=day');
      const legend = page.locator('.legend');
      await legend.getByText('search 30').waitFor();
      await legend.getByText('click 70').waitFor();
      // Includes the event of the first spec.
      expect(await total()).toBe(101);
      const box = await page.locator('.u-over').boundingBox();
      if (!box) throw new Error('There is no plot.');
      await page.mouse.move(box.x + box.width * 0.6, box.y + 40);
      await page.locator('.tip', { hasText: 'click' }).waitFor();
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * 0.99, box.y + 60, { steps: 5 });
      await page.mouse.up();
      await eventually(async () => {
        expect(viewer.hash).toMatch(/from=.+&to=/);
        expect(await total()).toBeLessThan(101);
      });
      const marked = await total();
      expect(marked).toBeGreaterThan(0);
      await page.getByRole('button', { name: 'Zoom out' }).click();
      await eventually(async () => expect(await total()).toBeGreaterThan(marked));
      await page.locator('.range').getByText('Day', { exact: true }).click();
      await viewer.at('#/history?range=day');
      // The zoomed-out range has as many events, so the total does not show that the rankings are of the day again.
      await page.locator('.rankings a[href*="range=day"]').first().waitFor();
      await eventually(async () => expect(await total()).toBe(101));
    });

    it('filters the history by a clicked category and groups it by type', async () => {
      await page.locator('.ranking', { hasText: 'Categories' }).getByText('search').click();
      await eventually(async () => expect(await total()).toBe(30));
      expect(viewer.hash).toBe('#/history?range=day&category=search');
      await page.locator('#by-type').click();
      await page.locator('.legend').getByText('search · pageview 30').waitFor();
      await page.getByText('List these events').click();
      await page.getByText('30 events').waitFor();
      expect(viewer.hash).toContain('category=search');
    });

    it('lists events page by page in the selected order', async () => {
      await viewer.goto(`#/events?category=click&from=${ago(25 * HOUR)}`);
      await page.getByText('70 events').waitFor();
      const first = await page.locator('.rows time').first().getAttribute('datetime');
      await page.getByText('Next →').click();
      await eventually(async () => expect(await page.locator('.rows li').count()).toBe(20));
      await page.getByText('← Previous').click();
      await eventually(async () =>
        expect(await page.locator('.rows time').first().getAttribute('datetime')).toBe(first),
      );
      await page.getByText('Newest first').click();
      await page.getByText('Oldest first').waitFor();
      await eventually(async () => expect(await page.locator('.rows li').count()).toBe(50));
      const times = await page
        .locator('.rows time')
        .evaluateAll((all) => all.map((one) => one.getAttribute('datetime')));
      expect(times).toEqual(times.toSorted());
    });

    it('accepts a typed range as UTC days and times', async () => {
      await viewer.goto('#/events?session_id=journey');
      await page.getByLabel('From').fill('2026-01-01');
      await page.getByLabel('To').fill('2026-01-01T10:00');
      expect(await page.getByLabel('To').getAttribute('title')).toContain('UTC');
      await page.keyboard.press('Enter');
      await page.getByText('No event matches these filters.').waitFor();
      await page.getByLabel('To').fill('2026-01-01T10:01');
      await page.keyboard.press('Enter');
      await page.getByText('2 events').waitFor();
    });

    it('shows the error message of an invalid query', async () => {
      await viewer.goto('#/events?from=yesterday');
      await page.locator('.note', { hasText: 'timestamp_after: Must be an ISO 8601 date' }).waitFor();
      // The browser logs the 400 response, too.
      expect(viewer.errors.splice(0)).toContainEqual(expect.stringContaining('400'));
    });

    it('filters by conditions, and shows what is wrong with one', async () => {
      await viewer.goto('#/events');
      await page.getByLabel('Conditions').fill('data.path=/&data.a+b:foo=1');
      await page.keyboard.press('Enter');
      await page.locator('.note', { hasText: 'data.a+b:foo: There is no operator `foo`' }).waitFor();
      expect(viewer.hash).toContain('where=');
      expect(viewer.errors.splice(0)).toContainEqual(expect.stringContaining('400'));
      await page.getByLabel('Conditions').fill('data.path=/&data.path=/checkout');
      await page.keyboard.press('Enter');
      await page.locator('.note', { hasText: 'data.path: Must be given once.' }).waitFor();
      expect(viewer.errors.splice(0)).toContainEqual(expect.stringContaining('400'));
      // PostgreSQL finds what the fields name; the conditions on properties are for ClickHouse.
      await page.getByLabel('Conditions').fill('session_id=journey&category=page interaction');
      await page.keyboard.press('Enter');
      await page.getByText('3 events').waitFor();
    });

    it('opens an event with the keyboard, shows its markup as text, and closes it with Esc', async () => {
      await viewer.goto('#/events?session_id=journey');
      await page.locator('.rows .open').first().focus();
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('End');
      await page.keyboard.press('Enter');
      const drawer = page.locator('dialog[open]');
      await drawer.getByText(JSON.stringify(MARKUP)).waitFor();
      expect(await drawer.locator('time').textContent()).toBe('2026-01-01 11:00:00.000001');
      expect(viewer.hash).toContain('event=');
      expect(await page.evaluate('window.ran')).toBeUndefined();
      await page.keyboard.press('Escape');
      await drawer.waitFor({ state: 'detached' });
      await viewer.at('#/events?session_id=journey');
    });

    it('shows a session in order, with the time between its events', async () => {
      await viewer.goto('#/sessions?category=page%20interaction');
      await page.locator('.sessions li', { hasText: 'journey' }).getByRole('link').click();
      await page.locator('.timeline li').first().waitFor();
      expect(viewer.hash).toBe('#/sessions/journey');
      expect(await page.locator('.timeline .gap').allTextContents()).toEqual(['start', '+1.5 s', '+2 h']);
      expect(await page.locator('.timeline .type').allTextContents()).toEqual([
        'page interaction pageview',
        'page interaction second',
        'page interaction third',
      ]);
      await page.getByText('3 events of default within 2 h').waitFor();
      await page.locator('.timeline .open').last().click();
      await page.locator('dialog[open]').getByText('"third"').waitFor();
      await page.getByRole('button', { name: 'Close' }).click();
      await viewer.at('#/sessions/journey');
    });

    it('shows a session whose id browsers would resolve as a part of a path', async () => {
      await eye.store([
        anEvent({ session_id: '..', timestamp: ago(HOUR) }),
        anEvent({ session_id: '.', timestamp: ago(0) }),
      ]);
      await copy.caughtUp();
      for (const id of ['..', '.']) {
        await viewer.goto('#/sessions');
        const session = page.locator('.sessions li').filter({ has: page.getByText(id, { exact: true }) });
        await session.getByRole('link').click();
        await page.getByText('1 event of default').waitFor();
        expect(viewer.hash).toBe(`#/sessions/${id}`);
        await page.getByText('As a list').click();
        await page.getByText('1 event', { exact: true }).waitFor();
      }
    });

    it('shows the same range to a viewer whose clock is two hours behind', async () => {
      const name = 'seen by a late clock';
      await eye.store(anEvent({ name, timestamp: ago(1000) }));
      await copy.caughtUp();
      const late = await Viewer.open(browser, eye.url);
      await late.page.clock.setSystemTime(Date.now() - 2 * HOUR);
      await late.goto(`#/history?range=hour&name=${name}`);
      await late.page.locator('.foot', { hasText: '1 event' }).waitFor();
      // The button moves the range by its half, and no further than until now.
      await late.page.getByRole('button', { name: 'Later' }).click();
      await late.page.waitForURL((url) => url.hash.includes('to='));
      await late.page.locator('.foot', { hasText: '1 event' }).waitFor();
      expect(late.errors).toEqual([]);
      await late.close();
    });

    it('reports that no session matches the filters when other sessions exist', async () => {
      await viewer.goto('#/sessions?category=none');
      await page.getByText('No session matches these filters.').waitFor();
      expect(await page.locator('.first').count()).toBe(0);
      await page.getByText('Show all sessions').click();
      await page.locator('.sessions li').first().waitFor();
    });

    it('shows rejections with their reasons and highlights the invalid value', async () => {
      await viewer.goto('#/refused');
      await page.locator('.ranking', { hasText: 'Reasons' }).getByText('payload_mismatch').click();
      const marked = page.locator('.rejections .bad');
      await eventually(async () => expect(await marked.count()).toBe(1));
      expect(await marked.textContent()).toBe('"host": 4711must be string, not 4711');
      expect(await page.locator('.rejections').textContent()).toContain('"path": "/"');
      await page.getByText('All reasons').click();
      await page.locator('.rejections .bad', { hasText: '"data": "text"' }).waitFor();
      expect(await page.evaluate('window.ran')).toBeUndefined();
    });

    it('draws only the last of several views that are chosen one after another', async () => {
      await viewer.goto('#/history');
      // The first of the two has its answers before the second one.
      await page.route('**/sessions/?*', async (route) => {
        await new Promise((resolve) => setTimeout(resolve, 300));
        await route.continue();
      });
      const drawn = page.evaluate(`new Promise((resolve) => {
        const main = document.getElementById('main');
        const drawn = [];
        new MutationObserver(() => {
          drawn.push(main.querySelector('h1').textContent + ', busy: ' + main.ariaBusy);
          if (location.hash === '#/sessions' && drawn.at(-1).startsWith('Sessions')) resolve(drawn);
        }).observe(main, { childList: true });
        location.hash = '#/refused';
        setTimeout(() => (location.hash = '#/sessions'));
      })`);
      expect(await drawn).toEqual(['Sessions, busy: false']);
      await page.unroute('**/sessions/?*');
    });

    it('limits the summary of rejections to the longest range that the API accepts', async () => {
      const to = new Date();
      const from = new Date(to.getTime() - 900 * 86_400_000);
      await viewer.goto(`#/refused?from=${from.toISOString()}&to=${to.toISOString()}`);
      const reasons = page.locator('.ranking', { hasText: 'Reasons' });
      await reasons.getByText('payload_mismatch').waitFor();
      const before = viewer.hash;
      await page.getByRole('button', { name: 'Zoom out' }).click();
      await eventually(async () => expect(await page.evaluate('location.hash')).not.toBe(before));
      await reasons.getByText('payload_mismatch').waitFor();
      expect(await page.locator('.note:visible').count()).toBe(0);
    });

    it('filters rejections by type, shows the filter, and clears it', async () => {
      await viewer.goto('#/refused');
      const shown = page.locator('.rejections > li');
      await eventually(async () => expect(await shown.count()).toBe(3));
      const types = page.locator('.ranking', { hasText: 'Types' });
      // The list may be drawn again between the press and the release of the button.
      const chosen = '#/refused?category=order&name=place';
      await eventually(async () => {
        if (viewer.hash !== chosen)
          await types.getByRole('link', { name: 'order · place' }).click({ timeout: 2000 });
        expect(viewer.hash).toBe(chosen);
      });
      await eventually(async () => expect(await shown.count()).toBe(1));
      expect(await page.getByLabel('Category').inputValue()).toBe('order');
      expect(await page.getByLabel('Name').inputValue()).toBe('place');
      await eventually(async () => expect(await total()).toBe(3));
      await page.getByText('These counts cover all types').waitFor();
      await page.getByRole('link', { name: 'Clear' }).click();
      await eventually(async () => expect(await shown.count()).toBe(3));
      expect(viewer.hash).toBe('#/refused');
      expect(await page.getByText('These counts cover all types').count()).toBe(0);
      // Rejections without a name cannot be selected by type.
      await types.getByText('page interaction · (none)').waitFor();
      expect(await types.getByRole('link', { name: '(none)' }).count()).toBe(0);
    });

    it('expands the path to every invalid value in deep objects and long lists', async () => {
      await eye.request('PUT', '/event-types/order/change/', {
        body: JSON.stringify({
          mode: 'enforce',
          schema: {
            properties: {
              order: { properties: { items: { items: { properties: { price: { type: 'number' } } } } } },
              steps: { items: { type: 'integer' } },
            },
          },
        }),
        headers: { 'content-type': 'application/json' },
      });
      const steps = Array.from({ length: 80 }, (_, at) => (at === 70 ? 'seventy' : at));
      const data = { order: { items: [{ price: 'free' }] }, steps, fine: steps };
      await eye.post('/events/', anEvent({ category: 'order', name: 'change', timestamp: ago(0), data }));
      await eventually(async () =>
        expect((await eye.get('/rejections/?category=order&name=change')).body.count).toBe(1),
      );
      await viewer.goto('#/refused?category=order&name=change');
      await page.getByText('"free"must be number, not "free"').waitFor();
      await page.getByText('"seventy"must be integer, not "seventy"').waitFor();
      // Neither the valid items of the long list nor the valid long list is expanded.
      expect(await page.getByText('69', { exact: true }).filter({ visible: true }).count()).toBe(0);
      await page.getByText('… 70 more').click();
      expect(await page.getByText('69', { exact: true }).filter({ visible: true }).count()).toBe(1);
    });

    it('pages through rejections of a relative range without moving the range', async () => {
      await eye.post(
        '/events/',
        Array.from({ length: 45 }, () => anEvent({ category: 'paged', name: '' })),
      );
      await eventually(async () =>
        expect((await eye.get('/rejections/?category=paged')).body.count).toBe(45),
      );
      await viewer.goto('#/refused?category=paged');
      const rangeLabel = page.locator('.range .muted');
      const shown = page.locator('.rejections > li');
      const sessions = (): Promise<string[]> => shown.locator('.session').allTextContents();
      await page.getByText('45 rejections').waitFor();
      const [range, first] = [await rangeLabel.textContent(), await sessions()];
      await page.getByText('Next →').click();
      await page.locator('.pages a', { hasText: 'Previous' }).waitFor();
      const second = await sessions();
      expect(second).toHaveLength(20);
      expect(second).not.toEqual(first);
      await page.reload();
      await eventually(async () => expect(await sessions()).toEqual(second));
      expect(await rangeLabel.textContent()).toBe(range);
      expect(await page.locator('#range-day').getAttribute('aria-current')).toBe('true');
      await page.getByText('Next →').click();
      await eventually(async () => expect(await shown.count()).toBe(5));
      await page.getByText('← Previous').click();
      await eventually(async () => expect(await sessions()).toEqual(second));
      await page.getByText('← Previous').click();
      await eventually(async () => expect(await sessions()).toEqual(first));
      // Selecting another range, relative or exact, returns to the first page.
      for (const choose of [page.locator('#range-day'), page.getByRole('button', { name: 'Zoom out' })]) {
        await choose.click();
        await eventually(async () => expect(await sessions()).toEqual(first));
        expect(viewer.hash).not.toContain('cursor=');
        await page.getByText('Next →').click();
        await eventually(async () => expect(await sessions()).toEqual(second));
      }
      expect(await page.locator('.note:visible').count()).toBe(0);
    });

    it('shows times in the time zone of the browser or in UTC', async () => {
      await viewer.goto('#/events?session_id=journey');
      await page.getByText('2026-01-01 13:00:01.500').waitFor();
      await page.locator('#zone').click();
      await page.getByText('2026-01-01 12:00:01.500').waitFor();
      await page.locator('#zone').click();
    });

    describe('with a long history', () => {
      const visibleNotes = (): Promise<number> => page.locator('.note:visible').count();
      const tooLong = 'This range is too long for one plot, which shows its last 95 years.';

      it('plots a history since 1970 in one piece', async () => {
        await eye.store(anEvent({ category: 'old', timestamp: '1970-01-01T00:00:00Z' }));
        await copy.caughtUp();
        const { count } = (await eye.get('/events/?page_size=1')).body;
        await viewer.goto('#/history?range=all');
        await eventually(async () => expect(await total()).toBe(count));
        await page.locator('.plot canvas').waitFor();
        expect(await page.getByText(tooLong).count()).toBe(0);
        expect(await visibleNotes()).toBe(0);
      });

      it('plots a history since 1900 in parts and says so', async () => {
        await eye.store(anEvent({ category: 'old', timestamp: '1900-01-01T00:00:00Z' }));
        await copy.caughtUp();
        const { count } = (await eye.get('/events/?page_size=1')).body;
        await viewer.goto('#/history?range=all&by=name');
        await page.getByText(tooLong).waitFor();
        await eventually(async () => expect(await total()).toBe(count - 1));
        await page.locator('.plot canvas').waitFor();
        expect(await visibleNotes()).toBe(0);
        await page.getByText('Plot the earlier years').click();
        await eventually(async () => expect(await total()).toBe(1));
        expect(await page.getByText(tooLong).count()).toBe(0);
        expect(await visibleNotes()).toBe(0);
      });

      it('plots events of the year 0001 and does not zoom out beyond it', async () => {
        await eye.store(anEvent({ category: 'first', timestamp: '0001-01-01T00:00:00Z' }));
        await copy.caughtUp();
        await viewer.goto('#/history?range=all&category=first');
        await page.getByText(tooLong).waitFor();
        await page.getByText('No matching event is in these years.').waitFor();
        await viewer.goto('#/history?from=0001-01-01T00:00:00Z&to=0050-01-01T00:00:00Z');
        await eventually(async () => expect(await total()).toBe(1));
        await page.getByRole('button', { name: 'Zoom out' }).click();
        await page.locator('.range').getByText('0001-01-01 00:53 – 0074-').waitFor();
        await page.locator('.plot canvas').waitFor();
        expect(await total()).toBe(1);
        expect(await visibleNotes()).toBe(0);
      });
    });

    it('links every panel to an API request that succeeds', async () => {
      for (const [view, part] of Object.entries(VIEWS)) {
        await viewer.goto(view);
        await page.locator(part).first().waitFor();
        const links = page.locator('main .api-call a');
        const panels = await page.locator('main section[aria-labelledby]').count();
        await eventually(async () => expect([view, await links.count()]).toEqual([view, panels]));
        for (const address of await links.evaluateAll((all) => all.map((one) => one.getAttribute('href')))) {
          const { status } = await eye.get(address ?? '');
          expect([address, status]).toEqual([address, 200]);
        }
      }
    });

    it('has no serious accessibility violation in either colour scheme and fits a phone screen', async () => {
      const { body } = await eye.get('/events/?session_id=journey');
      const views = { ...VIEWS, [`#/events?event=${body.results[0].id}`]: 'dialog .key' };
      for (const [view, part] of Object.entries(views)) {
        await viewer.goto(view);
        await page.locator(part).first().waitFor();
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme });
          // The dark scheme changes only colours.
          const rules = colorScheme === 'dark' ? COLOUR_RULES : undefined;
          expect([view, colorScheme, ...(await seriousViolations(page, rules))]).toEqual([view, colorScheme]);
        }
        await page.setViewportSize({ width: 390, height: 844 });
        const width = await page.evaluate('document.documentElement.scrollWidth');
        expect([view, width]).toEqual([view, 390]);
        await page.setViewportSize({ width: 1280, height: 900 });
      }
    });

    it('reports that The Eye is unreachable and reconnects by itself', async () => {
      await viewer.goto('#/now');
      await page.locator('.tail li').first().waitFor();
      await page.context().setOffline(true);
      await page.getByText('The Eye cannot be reached at').waitFor();
      await page.context().setOffline(false);
      await page.getByText('The Eye cannot be reached at').waitFor({ state: 'hidden' });
      await eye.store(anEvent({ session_id: 'after the silence' }));
      await page.locator('.tail li', { hasText: 'after the silence' }).waitFor();
      viewer.errors.splice(0).forEach((words) => expect(words).toContain('ERR_INTERNET_DISCONNECTED'));
    });

    it('reports that The Eye has stopped and recovers after a restart', async () => {
      await viewer.goto('#/now');
      await page.locator('.tail li').first().waitFor();
      await eye.end();
      await page.getByText('The Eye cannot be reached at').waitFor();
      // This view also requests the start of the range, hence two notes.
      await viewer.goto('#/history?range=all');
      await page.locator('#range-all').waitFor();
      const notes = page.locator('.note', { hasText: 'The Eye cannot be reached. Trying again…' });
      await eventually(async () => expect(await notes.count()).toBe(2));
      await eye.start();
      await page.getByText('The Eye cannot be reached at').waitFor({ state: 'hidden' });
      await page.locator('.plot canvas').waitFor();
      await page.locator('.ranking li').first().waitFor();
      await page.locator('.range .muted', { hasText: '–' }).waitFor();
      await eventually(async () => expect(await page.locator('.note:visible').count()).toBe(0));
      viewer.errors.splice(0).forEach((words) => expect(words).toContain('ERR_'));
    });

    it('logs no error in the browser and sends no request to another host', () => {
      expect(viewer.errors).toEqual([]);
      expect(viewer.foreignUrls()).toEqual([]);
      expect(viewer.requestedUrls.length).toBeGreaterThan(50);
    });
  });
});

describe('The dashboard with AUTH=required', () => {
  let eye: TheEye;
  let browser: Browser;
  let viewer: Viewer;
  let keys: Record<'read' | 'ingest', string>;

  beforeAll(async () => {
    [eye, browser] = await Promise.all([startEye({ AUTH: 'required' }), startBrowser()]);
    const admin = await Admin.of(eye);
    const of = async (scope: string): Promise<string> => (await admin.create('shop', { scope })).key;
    keys = { read: await of('read'), ingest: await of('ingest') };
    await eye.post('/events/', anEvent({ session_id: 'behind the door' }), bearer(keys.ingest));
    viewer = await Viewer.open(browser, eye.url);
  });
  afterAll(async () => {
    await browser?.close();
    await eye?.close();
  });

  it('accepts a key with read access, explains why it rejects others, and puts no key into a URL', async () => {
    const { page } = viewer;
    const logIn = async (key: string): Promise<void> => {
      await page.getByLabel('Key').fill(key);
      await page.getByRole('button', { name: 'Log in' }).click();
    };
    await viewer.goto('#/events');
    await logIn('eye_read_nonsense');
    await page.getByText('This key is unknown, or it was revoked.').waitFor();
    await logIn(keys.ingest);
    await page.getByText('This key has no read access.').waitFor();
    await logIn(keys.read);
    await page.locator('.rows li', { hasText: 'behind the door' }).waitFor();
    expect(viewer.hash).toBe('#/events');

    await page.getByRole('link', { name: 'Now' }).click();
    await page.locator('.tail li', { hasText: 'behind the door' }).waitFor();
    await page.reload();
    await page.locator('.tail li', { hasText: 'behind the door' }).waitFor();
    for (const address of [page.url(), ...viewer.requestedUrls])
      for (const key of Object.values(keys)) expect(address).not.toContain(key);
    expect(eye.output).not.toContain(keys.read);

    // This Eye has no ClickHouse.
    await page.getByRole('link', { name: 'History' }).click();
    const notes = page.locator('.note', { hasText: 'ClickHouse' });
    await eventually(async () => expect(await notes.count()).toBe(2));
    await page.getByRole('link', { name: 'Events' }).click();
    await page.locator('.rows li', { hasText: 'behind the door' }).waitFor();

    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByText('The Eye requires a key').waitFor();
    expect(await page.evaluate('JSON.stringify([{ ...sessionStorage }, { ...localStorage }])')).not.toContain(
      'eye_read',
    );
    expect(await seriousViolations(page)).toEqual([]);
    viewer.errors.forEach((words) => expect(words).toMatch(/401|403/));
    expect(viewer.foreignUrls()).toEqual([]);
  });
});
