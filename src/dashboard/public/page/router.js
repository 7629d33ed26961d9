/**
 * A view, the id of the resource that it shows, and its parameters. All of it is in the fragment of the address, so it can
 * be shared and is never sent to a server.
 * @typedef {{ view: string, of: string | undefined, parameters: Record<string, string> }} Route
 */

/**
 * @param {string} hash such as `#/sessions/a%2Fb?category=click`
 * @returns {Route}
 */
export function parse(hash) {
  const [path, query] = hash.replace(/^#\/?/, '').split(/\?(.*)/s, 2);
  const [view, of] = path.split('/', 2).map(decode);
  return { view: view || 'now', of, parameters: Object.fromEntries(new URLSearchParams(query)) };
}

/**
 * The address of a view, for a link.
 * @param {string} view
 * @param {Record<string, string | number | null | undefined>} [parameters] those without a value are omitted
 * @param {string} [of]
 */
export function href(view, parameters = {}, of) {
  const given = Object.entries(parameters).filter(([, value]) => value != null && value !== '');
  const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
  const path = of === undefined ? `#/${view}` : `#/${view}/${encodeURIComponent(of)}`;
  return query.size === 0 ? path : `${path}?${query}`;
}

/**
 * The address of the same view with other parameters.
 * @param {Route} route
 * @param {Record<string, string | number | null | undefined>} changes
 */
export function changed(route, changes) {
  return href(route.view, { ...route.parameters, ...changes }, route.of);
}

export function here() {
  return parse(location.hash);
}

/** @param {string} address from `href` or `changed` */
export function go(address) {
  location.hash = address;
}

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
