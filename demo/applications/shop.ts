import type { Faker } from '@faker-js/faker';
import { type Application, chance, type EventType, pause, type Step, view } from './application.js';

const HOST = 'shop.example';
const PAYMENT: EventType = {
  category: 'checkout',
  name: 'pay',
  mode: 'enforce',
  schema: {
    properties: { amount: { type: 'number', minimum: 0 }, currency: { enum: ['EUR', 'USD'] } },
    required: ['amount', 'currency'],
  },
};
const AISLES = ['garden', 'kitchen', 'outdoor', 'books', 'toys', 'lighting'];

/** A web shop: visitors browse, search and fill a basket, and some of them pay. */
export const shop: Application = {
  name: 'demo-shop',
  origin: `https://${HOST}`,
  share: 0.55,
  hours: [8, 5, 3, 2, 2, 4, 9, 16, 24, 30, 34, 38, 42, 38, 34, 34, 36, 42, 52, 62, 68, 60, 38, 18],
  weekend: 1.35,
  eventTypes: [PAYMENT],
  *visit(random) {
    yield view(random, HOST, '/');
    const seen: string[] = [];
    if (chance(random, 40)) yield search(random);
    for (let remaining = random.number.int({ min: 1, max: 5 }); remaining > 0; remaining--) {
      const aisle = random.helpers.arrayElement(AISLES);
      yield view(random, HOST, `/${aisle}/`);
      const product = random.helpers.slugify(random.commerce.productName()).toLowerCase();
      yield view(random, HOST, `/${aisle}/${product}`, 25);
      seen.push(product);
      if (chance(random, 25))
        yield { after: pause(random, 6), category: 'click', name: 'photo', data: { product } };
    }
    if (!chance(random, 42)) return;
    const items = seen.slice(0, random.number.int({ min: 1, max: 3 }));
    for (const product of items)
      yield {
        after: pause(random, 8),
        category: 'click',
        name: 'add to basket',
        data: { product, quantity: 1 },
      };
    if (!chance(random, 68)) return;
    yield* checkout(random, items);
  },
};

function* checkout(random: Faker, items: string[]): Generator<Step> {
  const amount = random.number.float({ min: 9, max: 180, fractionDigits: 2 });
  yield {
    after: pause(random, 15),
    category: 'checkout',
    name: 'begin',
    data: { items: items.length, amount },
  };
  if (chance(random, 12))
    yield {
      after: pause(random, 40),
      category: 'form interaction',
      name: 'error',
      data: { form: 'address', field: random.helpers.arrayElement(['postcode', 'street', 'phone']) },
    };
  if (!chance(random, 86)) return;
  yield { after: pause(random, 45), category: 'form interaction', name: 'submit', data: { form: 'address' } };
  if (!chance(random, 84)) return;
  const method = random.helpers.arrayElement(['card', 'card', 'transfer', 'wallet']);
  yield {
    after: pause(random, 30),
    category: PAYMENT.category,
    name: PAYMENT.name,
    data: { amount, currency: 'EUR', method, items },
  };
}

function search(random: Faker): Step {
  const text = random.commerce.productMaterial().toLowerCase();
  const hits = random.number.int({ max: 60 });
  return { after: pause(random, 9), category: 'search', name: 'submit', data: { text, hits } };
}
