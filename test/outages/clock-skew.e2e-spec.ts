import { Deployment } from '../fault-injection/deployment.js';
import { FAULTS } from '../fault-injection/faults.js';
import { Trial } from '../fault-injection/trial.js';
import { SmallDisk } from '../support/small-disk.js';

const SEED = 1;

/** Why small disks are unavailable on this machine; the faults that need one are skipped. */
const noSmallDisks = await SmallDisk.unavailable();

/** The short version of `npm run test:faults`: one round of each fault that no other spec covers, under one continuous load. */
describe('Two APIs with clocks a minute apart and a worker', () => {
  let deployment: Deployment;
  let trial: Trial;
  beforeAll(async () => {
    deployment = await Deployment.start({
      apis: 2,
      clocks: [30_000, -30_000],
      smallDisks: noSmallDisks === undefined,
    });
    trial = new Trial(deployment, SEED);
  });
  afterAll(async () => {
    await trial.stop();
    await deployment.close();
  });

  for (const fault of FAULTS.filter(({ short }) => short)) {
    const skipped = fault.shape?.smallDisks === true && noSmallDisks !== undefined;
    (skipped ? it.skip : it)(`accept events again after ${fault.name}`, () => trial.round(fault));
  }

  it('violate no guarantee during all faults', async () => {
    const result = await trial.end();
    expect(trial.complaints(result)).toEqual([]);
    // Proves that the faults took effect.
    expect(result.refused).toBeGreaterThan(0);
  });
});
