import type { TheEye } from '../../testing/the-eye.js';
import { Attacker } from '../abuse/attacker.js';
import { ATTACKS } from '../abuse/attacks.js';
import { complaints, type Promises, SETTINGS, Trial } from '../abuse/trial.js';
import { startEyeWithClickHouse } from '../support/start-eye.js';

/**
 * Other specs keep the machine busy, so that only seconds count, and more of them for the reader, who asks ClickHouse. `npm run
 * test:abuse` measures the promises themselves.
 */
const BOUNDS: Promises = {
  sendMs: 2500,
  readMs: 10_000,
  blockMs: 300,
  memory: 768,
  failures: 3,
  slowdown: 6,
};

const DURATIONS = { beforeMs: 500, attackMs: 1500 };

describe('While one caller attacks', () => {
  let eye: TheEye;
  let attacker: Attacker;
  let trial: Trial;
  beforeAll(async () => {
    attacker = Attacker.start();
    eye = await startEyeWithClickHouse(SETTINGS);
    trial = await Trial.on(eye, attacker);
  });
  afterAll(async () => {
    await attacker.stop();
    await eye.close();
  });

  const short = ATTACKS.filter((attack) => attack.short);

  it.each(short.map((attack) => [attack.name, attack] as const))(
    'other senders and readers are served in time, and every event of theirs is stored: %s',
    async (_, attack) => {
      const result = await trial.run(attack, DURATIONS);
      expect(complaints(attack, result, BOUNDS)).toEqual([]);
    },
  );
});
