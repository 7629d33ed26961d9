import { el } from './dom.js';
import { changed, go } from './router.js';

/** @type {Record<string, string>} */
const LABELS = {
  application: 'Application',
  category: 'Category',
  name: 'Name',
  session_id: 'Session',
  from: 'From',
  to: 'To',
};

/** Of an end of a range: the API reads it, and knows nothing of the zone that the page shows. */
const TIME = {
  placeholder: 'date or time in UTC',
  title:
    'A date such as 2021-01-31, or with a time: 2021-01-31T09:15. It means UTC unless it ends with an offset.',
  size: 20,
};

/** @type {Record<string, Record<string, string | number>>} */
const HINTS = { from: TIME, to: TIME };

/**
 * A form of exact filters, which end up in the address; each that is set can be taken off by itself.
 * @param {import('./panel.js').Screen} screen
 * @param {{ fields: string[], prefix?: string, resets?: string[] }} options `resets`: parameters that end with a change
 */
export function filters({ route }, { fields, resets = [] }) {
  const without = Object.fromEntries(resets.map((name) => [name, undefined]));
  const inputs = fields.map((name) =>
    el('input', {
      id: `filter-${name}`,
      value: route.parameters[name] ?? '',
      autocomplete: 'off',
      spellcheck: 'false',
      maxlength: 600,
      ...(HINTS[name] ?? { placeholder: 'any', size: 14 }),
    }),
  );
  const set = fields.filter((name) => route.parameters[name] !== undefined);
  const apply = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const values = Object.fromEntries(fields.map((name, at) => [name, inputs[at].value || undefined]));
    go(changed(route, { ...without, ...values }));
  };
  const nothing = Object.fromEntries(fields.map((name) => [name, undefined]));
  return el(
    'form',
    { class: 'filters', method: 'post', onsubmit: apply, 'aria-label': 'Filters' },
    ...fields.map((name, at) => el('label', {}, el('span', {}, LABELS[name]), inputs[at])),
    el('button', { type: 'submit' }, 'Filter'),
    set.length > 0 &&
      el('a', { class: 'button quiet', href: changed(route, { ...without, ...nothing }) }, 'Clear'),
  );
}

/**
 * The filters of the address by their names, for a request.
 * @param {import('./router.js').Route} route
 * @param {string[]} names
 */
export function pick(route, names) {
  return Object.fromEntries(names.map((name) => [name, route.parameters[name]]));
}
