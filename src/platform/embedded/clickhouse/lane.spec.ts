import { Lane } from './lane.js';

/** Work that ends when a test ends it. */
class Work {
  begun = false;
  end = (): void => undefined;
  private readonly ended = new Promise<void>((resolve) => (this.end = resolve));

  readonly run = (): Promise<void> => {
    this.begun = true;
    return this.ended;
  };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('Lane', () => {
  it('runs work alone after what ran before it, and before what came after it', async () => {
    const lane = new Lane(2);
    const [before, alone, after] = [new Work(), new Work(), new Work()];
    const done = [lane.run(before.run), lane.runAlone(alone.run), lane.run(after.run)];
    await settled();
    expect([before.begun, alone.begun, after.begun]).toEqual([true, false, false]);
    before.end();
    await settled();
    expect([alone.begun, after.begun]).toEqual([true, false]);
    alone.end();
    await settled();
    expect(after.begun).toBe(true);
    after.end();
    await Promise.all(done);
  });

  it('runs several pieces of work that want to be alone one after the other, also if one fails', async () => {
    const lane = new Lane(2);
    const [first, second] = [new Work(), new Work()];
    const failing = lane.runAlone(async () => {
      await first.run();
      throw new Error('failed');
    });
    const other = lane.runAlone(second.run);
    await settled();
    expect([first.begun, second.begun]).toEqual([true, false]);
    first.end();
    await expect(failing).rejects.toThrow('failed');
    await settled();
    expect(second.begun).toBe(true);
    second.end();
    await other;
  });
});
