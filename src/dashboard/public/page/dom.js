/** @typedef {Node | string | number | null | undefined | false} Child */
/** @typedef {string | number | boolean | null | undefined | ((event: any) => unknown)} Attribute */

/**
 * A new element. Children that are texts become text nodes: nothing that comes from an event is ever markup.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, Attribute>} [attributes] functions are listeners, by names such as `onclick`; `true` sets an empty
 *   attribute, `false` and what is missing none
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...present(children));
  return element;
}

/** @param {Child[]} children */
export function present(children) {
  return children.filter((child) => child !== null && child !== undefined && child !== false).map(asNode);
}

/** @param {Node | string | number} child */
const asNode = (child) => (child instanceof Node ? child : document.createTextNode(String(child)));

/**
 * A button that copies a text, and says so.
 * @param {string} label
 * @param {() => string} text
 */
export function copyButton(label, text) {
  const button = el('button', { type: 'button', class: 'quiet', onclick: copy }, label);
  async function copy() {
    const copied = await navigator.clipboard.writeText(text()).then(
      () => true,
      () => false,
    );
    button.textContent = copied ? 'Copied' : 'The browser forbids copying';
    setTimeout(() => (button.textContent = label), 1500);
  }
  return button;
}

/**
 * Lets the arrow keys, Home and End move among the links of a list; they stay reachable by Tab, too.
 * @template {HTMLElement} List
 * @param {List} list
 * @param {string} selector of what can have the focus
 */
export function walkable(list, selector) {
  list.addEventListener('keydown', (event) => {
    const items = /** @type {HTMLElement[]} */ ([...list.querySelectorAll(selector)]);
    const at = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    if (at < 0) return;
    /** @type {Record<string, number>} */
    const places = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 };
    const next = places[event.key];
    if (next === undefined || items[next] === undefined) return;
    event.preventDefault();
    items[next].focus();
  });
  return list;
}
