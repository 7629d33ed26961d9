import { LargeBodies } from './large-bodies.js';

const LARGE = { application: 'shop', bytes: 1024 * 1024 };

/** A promise, and what resolves it. */
function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

describe('LargeBodies', () => {
  it('reads large bodies one after the other, and small ones at once', async () => {
    const bodies = new LargeBodies();
    const log: string[] = [];
    const first = deferred();
    const reads = [
      bodies.inTurn(LARGE, async () => {
        await first.promise;
        log.push('first');
      }),
      bodies.inTurn(LARGE, () => Promise.resolve(void log.push('second'))),
      bodies.inTurn({ ...LARGE, bytes: 1 }, () => Promise.resolve(void log.push('small'))),
    ];
    await reads[2];
    expect(log).toEqual(['small']);
    first.resolve();
    await Promise.all(reads);
    expect(log).toEqual(['small', 'first', 'second']);
  });

  it('reads the next body while one waits for something else, and reads that one on afterwards', async () => {
    const bodies = new LargeBodies();
    const log: string[] = [];
    const [schema, second] = [deferred(), deferred()];
    const first = bodies.inTurn(LARGE, async (turn) => {
      await turn.pause(schema.promise);
      log.push('first');
    });
    const other = bodies.inTurn(LARGE, async () => {
      log.push('second begins');
      schema.resolve();
      await second.promise;
      log.push('second ends');
    });
    await schema.promise;
    second.resolve();
    await Promise.all([first, other]);
    expect(log).toEqual(['second begins', 'second ends', 'first']);
  });

  it('gives the turn to the next body after one that failed, also while it waited', async () => {
    const bodies = new LargeBodies();
    const failed = bodies.inTurn(LARGE, (turn) => turn.pause(Promise.reject(new Error('no schema'))));
    const next = bodies.inTurn(LARGE, () => Promise.resolve('read'));
    await expect(failed).rejects.toThrow('no schema');
    expect(await next).toBe('read');
    const thrown = bodies.inTurn(LARGE, () => Promise.reject(new Error('malformed')));
    await expect(thrown).rejects.toThrow('malformed');
    expect(await bodies.inTurn(LARGE, () => Promise.resolve('read'))).toBe('read');
  });

  it('bounds the bytes of the bodies that wait, in all and of an application', async () => {
    const bodies = new LargeBodies();
    const schema = deferred();
    const wait = (application: string) =>
      bodies.inTurn({ application, bytes: 16 * 1024 ** 2 }, (turn) => turn.pause(schema.promise));
    const waiting = [wait('shop'), wait('shop'), wait('blog')];
    await expect(wait('shop')).rejects.toThrow('Too many bodies wait');
    waiting.push(wait('blog'));
    await expect(wait('desk')).rejects.toThrow('Too many bodies wait');
    schema.resolve();
    await Promise.all(waiting);
    await wait('shop');
  });
});
