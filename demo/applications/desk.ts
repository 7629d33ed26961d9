import { type Application, chance, pause, view } from './application.js';

const HOST = 'desk.example';
const REPORTS = ['open orders', 'complaints', 'stock', 'returns', 'occupancy'];

/** An internal tool: the staff handle cases in office hours, and rarely on weekends. */
export const desk: Application = {
  name: 'demo-desk',
  origin: `https://${HOST}`,
  share: 0.15,
  hours: [0, 0, 0, 0, 0, 2, 18, 55, 70, 74, 70, 44, 52, 72, 70, 60, 34, 12, 4, 2, 1, 1, 0, 0],
  weekend: 0.06,
  *visit(random) {
    const team = random.helpers.arrayElement(['care', 'warehouse', 'finance']);
    yield { after: 0, category: 'session', name: 'login', data: { team } };
    for (let remaining = random.number.int({ min: 2, max: 7 }); remaining > 0; remaining--) {
      yield view(random, HOST, '/cases', 60);
      const number = random.number.int({ min: 40_000, max: 49_999 });
      yield view(random, HOST, `/cases/${number}`, 90);
      if (chance(random, 60))
        yield { after: pause(random, 150), category: 'case', name: 'answer', data: { case: number, team } };
    }
    if (chance(random, 25)) {
      const report = random.helpers.arrayElement(REPORTS);
      yield { after: pause(random, 40), category: 'report', name: 'open', data: { report } };
      if (chance(random, 40))
        yield {
          after: pause(random, 30),
          category: 'report',
          name: 'export',
          data: { report, format: 'csv' },
        };
    }
    if (chance(random, 70))
      yield { after: pause(random, 60), category: 'session', name: 'logout', data: { team } };
  },
};
