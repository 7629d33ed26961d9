import type { Faker } from '@faker-js/faker';
import { type Application, chance, pause, type Step, view } from './application.js';

const HOST = 'stays.example';
const CITIES = ['Lisbon', 'Kraków', 'Bergen', 'Ljubljana', 'Gent', 'Sevilla', 'Tartu', 'Bologna'];

/** A travel site: visitors compare places to stay, and some of them book one. */
export const stays: Application = {
  name: 'demo-stays',
  origin: `https://${HOST}`,
  share: 0.3,
  hours: [10, 6, 4, 3, 3, 5, 8, 14, 20, 24, 26, 28, 34, 32, 28, 26, 26, 30, 38, 50, 60, 64, 48, 24],
  weekend: 1.15,
  *visit(random) {
    const city = random.helpers.arrayElement(CITIES);
    const nights = random.number.int({ min: 1, max: 9 });
    yield view(random, HOST, '/');
    yield search(random, city, nights);
    for (let remaining = random.number.int({ min: 1, max: 6 }); remaining > 0; remaining--) {
      const place = random.number.int({ min: 1000, max: 1400 });
      yield view(random, HOST, `/stays/${place}`, 40);
      if (chance(random, 45))
        yield { after: pause(random, 8), category: 'click', name: 'photo', data: { place } };
      if (chance(random, 20)) yield search(random, city, nights);
    }
    if (!chance(random, 30)) return;
    yield* booking(random, city, nights);
  },
};

function* booking(random: Faker, city: string, nights: number): Generator<Step> {
  const price = random.number.int({ min: 45, max: 210 }) * nights;
  yield { after: pause(random, 30), category: 'booking', name: 'begin', data: { city, nights, price } };
  while (chance(random, 18))
    yield {
      after: pause(random, 50),
      category: 'form interaction',
      name: 'error',
      data: { form: 'guest', field: 'email' },
    };
  if (!chance(random, 72)) return;
  yield { after: pause(random, 60), category: 'form interaction', name: 'submit', data: { form: 'guest' } };
  if (!chance(random, 80)) return;
  yield {
    after: pause(random, 25),
    category: 'booking',
    name: 'confirm',
    data: { city, nights, price, guests: random.number.int({ min: 1, max: 4 }) },
  };
}

function search(random: Faker, city: string, nights: number): Step {
  const hits = random.number.int({ min: 4, max: 300 });
  return { after: pause(random, 14), category: 'search', name: 'submit', data: { city, nights, hits } };
}
