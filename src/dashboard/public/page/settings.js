/** The time zone of this computer. Read once, because each call takes as long as building a row. */
const LOCAL = Intl.DateTimeFormat().resolvedOptions().timeZone;

/**
 * The viewer's choices, stored in this browser: the theme and the time zone. Emits `change`.
 * @typedef {'auto' | 'light' | 'dark'} Theme
 * @typedef {'local' | 'UTC'} Zone
 */
class Settings extends EventTarget {
  /** @type {Theme} */
  theme = readChoice('theme', ['auto', 'light', 'dark']);
  /** @type {Zone} */
  zone = readChoice('zone', ['local', 'UTC']);

  /** The IANA name, for Intl and the API. */
  get timeZone() {
    return this.zone === 'UTC' ? 'UTC' : LOCAL;
  }

  /** @param {Partial<{ theme: Theme, zone: Zone }>} changes */
  change(changes) {
    Object.assign(this, changes);
    for (const [name, value] of Object.entries(changes)) storeChoice(name, value);
    this.apply();
    this.dispatchEvent(new Event('change'));
  }

  apply() {
    document.documentElement.dataset.theme = this.theme;
  }
}

export const settings = new Settings();
settings.apply();
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () =>
  settings.dispatchEvent(new Event('change')),
);

/**
 * @template {string} Choice
 * @param {string} name
 * @param {Choice[]} choices the first is the default
 * @returns {Choice}
 */
function readChoice(name, choices) {
  try {
    const stored = localStorage.getItem(`the-eye.${name}`);
    return choices.find((each) => each === stored) ?? choices[0];
  } catch {
    return choices[0];
  }
}

/**
 * @param {string} name
 * @param {string} value
 */
function storeChoice(name, value) {
  try {
    localStorage.setItem(`the-eye.${name}`, value);
  } catch {
    // Storage may be forbidden. Then the choice is lost when the page is reloaded.
  }
}
