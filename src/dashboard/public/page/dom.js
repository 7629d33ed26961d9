/** @typedef {Node | string | number | null | undefined | false} Child */
/** @typedef {string | number | boolean | null | undefined | ((event: any) => unknown)} Attribute */

/**
 * Creates an element. Text becomes text nodes, so nothing in an event is ever interpreted as markup.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, Attribute>} [attributes] functions become listeners, with names such as `onclick`; `true` sets an
 *   empty attribute; `false`, null and undefined set none
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
 * A button that copies a text and confirms it.
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
    button.textContent = copied ? 'Copied' : 'Copying is blocked by the browser';
    setTimeout(() => (button.textContent = label), 1500);
  }
  return button;
}

/**
 * Adds keyboard navigation to a list: arrow keys, Home and End move the focus. Tab works as before.
 * @template {HTMLElement} List
 * @param {List} list
 * @param {string} selector of the elements that receive the focus
 */
export function withArrowKeys(list, selector) {
  list.addEventListener('keydown', (event) => {
    const items = /** @type {HTMLElement[]} */ ([...list.querySelectorAll(selector)]);
    const index = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    if (index < 0) return;
    /** @type {Record<string, number>} */
    const targets = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: items.length - 1 };
    const next = targets[event.key];
    if (next === undefined || items[next] === undefined) return;
    event.preventDefault();
    items[next].focus();
  });
  return list;
}
