import { el } from './dom.js';
import { changed, go } from './router.js';

/** @type {Record<string, string>} */
const LABELS = {
  application: 'Application',
  category: 'Category',
  name: 'Name',
  session_id: 'Session',
  where: 'Conditions',
  from: 'From',
  to: 'To',
};

/** An end of a range. The API parses it, independently of the time zone that the page shows. */
const TIME = {
  placeholder: 'date or time in UTC',
  title:
    'A date such as 2021-01-31, or with a time: 2021-01-31T09:15. It is in UTC unless it ends with an offset.',
  size: 20,
};

/** Conditions on properties, which the API parses. */
const CONDITIONS = {
  placeholder: 'data.path=/checkout',
  title:
    'Conditions on values inside data, with & between them: data.path=/checkout&data.price:gte=10. Write %26 for an ampersand in a value.',
  size: 28,
};

/** @type {Record<string, Record<string, string | number>>} */
const HINTS = { from: TIME, to: TIME, where: CONDITIONS };

/**
 * A form of exact filters, which become parameters of the route.
 * @param {import('./panel.js').Screen} screen
 * @param {{ fields: string[], prefix?: string, resets?: string[] }} options `resets`: parameters that a change removes
 */
export function filters({ route }, { fields, resets = [] }) {
  const reset = Object.fromEntries(resets.map((name) => [name, undefined]));
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
    const values = Object.fromEntries(fields.map((name, index) => [name, inputs[index].value || undefined]));
    go(changed(route, { ...reset, ...values }));
  };
  const cleared = Object.fromEntries(fields.map((name) => [name, undefined]));
  return el(
    'form',
    { class: 'filters', method: 'post', onsubmit: apply, 'aria-label': 'Filters' },
    ...fields.map((name, index) => el('label', {}, el('span', {}, LABELS[name]), inputs[index])),
    el('button', { type: 'submit' }, 'Filter'),
    set.length > 0 &&
      el('a', { class: 'button quiet', href: changed(route, { ...reset, ...cleared }) }, 'Clear'),
  );
}

/**
 * Those of the named filters that a route has, as parameters of a request.
 * @param {import('./router.js').Route} route
 * @param {string[]} names
 */
export function pick(route, names) {
  const given = names.filter((name) => route.parameters[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, route.parameters[name]]));
}

/**
 * The conditions of a route, as parameters of a request. The API says so if one is given twice.
 * @param {import('./router.js').Route} route
 * @returns {[name: string, value: string][]}
 */
export function conditions({ parameters: { where = '' } }) {
  // In the address of a request, a plus sign would be a space.
  return [...new URLSearchParams(where.trim().replaceAll('+', '%2B'))];
}
