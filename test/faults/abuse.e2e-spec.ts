import type { TheEye } from '../../testing/the-eye.js';
import { Attacker } from '../abuse/attacker.js';
import { ATTACKS } from '../abuse/attacks.js';
import { delays, type Promises, SETTINGS, Trial, violations } from '../abuse/trial.js';
import { startEyeWithClickHouse } from '../support/start-eye.js';

/**
 * Half of the requests of others must have their responses within a few times the promised time, or not much later than before the
 * attack. A single one may wait for the other specs, which keep the machine busy. `npm run test:abuse` measures the promises themselves.
 */
const BOUNDS: Promises = {
  sendMs: 1000,
  readMs: 2500,
  // Starved by the other specs, ClickHouse answers when it gets a turn, or is taken for away for a moment. A request without a
  // response counts as a long one.
  questionMs: Infinity,
  timeouts: Infinity,
  share: 0.5,
  blockMs: 1000,
  memory: 768,
  failures: 10,
  slowdown: 6,
};

/** An attack that delays others does so each time; the other specs do not. */
const TRIES = 3;

/** Long enough for the reader to ask each of its questions before the attack. */
const DURATIONS = { beforeMs: 1000, attackMs: 1500 };

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
      let found: string[] = [];
      for (let tries = 0; tries < TRIES; tries++) {
        const result = await trial.run(attack, DURATIONS);
        expect(violations(attack, result, BOUNDS)).toEqual([]);
        found = delays(result, BOUNDS);
        if (found.length === 0) break;
      }
      expect(found).toEqual([]);
    },
  );
});
