import { Deployment } from '../fault-injection/deployment.js';
import { FAULTS } from '../fault-injection/faults.js';
import { Trial } from '../fault-injection/trial.js';
import { SmallDisk } from '../support/small-disk.js';

const SEED = 1;

/** Why there are no small disks here; those who need one are skipped. */
const noSmallDisks = await SmallDisk.unavailable();

/** The short version of `npm run test:faults`: a round of each fault that no other spec tries, all in one load. */
describe('Two APIs whose clocks are a minute apart, and a worker', () => {
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
    (skipped ? it.skip : it)(`take events again after ${fault.name}`, () => trial.round(fault));
  }

  it('have kept every promise meanwhile', async () => {
    const result = await trial.end();
    expect(trial.complaints(result)).toEqual([]);
    // The faults were real.
    expect(result.refused).toBeGreaterThan(0);
  });
});
