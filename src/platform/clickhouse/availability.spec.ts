import { registry } from '../telemetry/metrics.js';
import { ClickHouseAvailability } from './availability.js';
import { ClickHouseUnavailableError, HOW_TO_HAVE_CLICKHOUSE } from './clickhouse-errors.js';

describe('The availability of ClickHouse', () => {
  afterEach(() => registry.removeSingleMetric('the_eye_clickhouse_up'));

  it('follows what the probe finds, and names the problem meanwhile', async () => {
    let problem: Error | undefined;
    const availability = new ClickHouseAvailability(() =>
      problem ? Promise.reject(problem) : Promise.resolve(),
    );
    await availability.check();
    expect(() => availability.require()).not.toThrow();

    problem = new Error('connect ECONNREFUSED');
    await availability.check();
    expect(availability.isAvailable).toBe(false);
    expect(() => availability.require()).toThrow(ClickHouseUnavailableError);
    expect(await availability.currentProblem()).toBe(
      'ClickHouse, which answers questions, cannot be reached.',
    );

    problem = undefined;
    await availability.check();
    expect(availability.isAvailable).toBe(true);
    expect(await availability.currentProblem()).toBeUndefined();
    await availability.stop();
  });

  it('is probed once for all who ask at the same time or right after', async () => {
    let probes = 0;
    const availability = new ClickHouseAvailability(() => Promise.resolve(void probes++));
    await Promise.all([availability.checkIfOld(), availability.check(), availability.currentProblem()]);
    await availability.checkIfOld();
    expect(probes).toBe(1);
  });

  it('says how to have ClickHouse where there is none', async () => {
    const availability = new ClickHouseAvailability(undefined);
    expect(() => availability.require()).toThrow(HOW_TO_HAVE_CLICKHOUSE);
    expect(await availability.currentProblem()).toBe(HOW_TO_HAVE_CLICKHOUSE);
  });
});
