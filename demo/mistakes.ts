import type { Faker } from '@faker-js/faker';
import { chance } from './applications/application.js';
import type { DemoEvent } from './event.js';

/** Typical programming errors, each as the fields that it changes. */
const MISTAKES: ((event: DemoEvent) => Partial<DemoEvent>)[] = [
  () => ({ name: '' }),
  () => ({ category: undefined }),
  ({ session_id }) => ({ session_id: Number.parseInt(String(session_id), 16) || 7 }),
  ({ timestamp }) => ({ timestamp: String(timestamp).replace(/^\d{4}-\d\d-\d\d/, '2026-02-30') }),
  ({ timestamp }) => ({ timestamp: String(Date.parse(String(timestamp))) }),
  ({ timestamp }) => ({ timestamp: String(timestamp).replace(/^\d{4}/, '2062') }),
  ({ data }) => ({ data: JSON.stringify(data) }),
  ({ data }) => ({ data: [data] }),
];

/** Adds a mistake to about one event in 400, and an amount that the schema refuses to about one payment in 33. */
export function withMistakes(random: Faker, event: DemoEvent): DemoEvent {
  if (event.category === 'checkout' && event.name === 'pay' && chance(random, 3))
    return { ...event, data: { ...(event.data as object), amount: `${random.commerce.price()} €` } };
  if (random.number.int({ max: 399 }) > 0) return event;
  return { ...event, ...random.helpers.arrayElement(MISTAKES)(event) };
}
