import { ChangesKeeper } from './changes-keeper.js';

class Keeper extends ChangesKeeper {
  constructor(foldSome: (limit: number) => Promise<number>) {
    super({ atOnce: 1000, foldSome, sweep: () => Promise.resolve() });
  }
}

describe('ChangesKeeper', () => {
  it('halves a step that failed until one succeeds, and then grows again', async () => {
    const limits: number[] = [];
    let most = 300;
    const keeper = new Keeper((limit) => {
      limits.push(limit);
      return limit > most ? Promise.reject(new Error('too late')) : Promise.resolve(limit);
    });
    await expect(keeper.run()).rejects.toThrow('too late');
    await expect(keeper.run()).rejects.toThrow('too late');
    await expect(keeper.run()).resolves.toBeDefined();
    most = 10_000;
    for (let run = 0; run < 3; run++) await keeper.run();
    expect(limits).toEqual([1000, 500, 250, 500, 1000, 1000]);
  });
});
