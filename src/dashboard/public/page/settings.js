/** As Intl calls the zone of this computer; asking costs as much as a row of a list. */
const LOCAL = Intl.DateTimeFormat().resolvedOptions().timeZone;

/**
 * What the viewer chose for this browser: light or dark, and the zone of times. Tells of changes by a `change` event.
 * @typedef {'auto' | 'light' | 'dark'} Theme
 * @typedef {'local' | 'UTC'} Zone
 */
class Settings extends EventTarget {
  /** @type {Theme} */
  theme = choice('theme', ['auto', 'light', 'dark']);
  /** @type {Zone} */
  zone = choice('zone', ['local', 'UTC']);

  /** The zone as Intl and the API know it. */
  get timeZone() {
    return this.zone === 'UTC' ? 'UTC' : LOCAL;
  }

  /** @param {Partial<{ theme: Theme, zone: Zone }>} changes */
  change(changes) {
    Object.assign(this, changes);
    for (const [name, value] of Object.entries(changes)) keep(name, value);
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
 * @param {Choice[]} choices the first one unless another was chosen
 * @returns {Choice}
 */
function choice(name, choices) {
  try {
    const kept = localStorage.getItem(`the-eye.${name}`);
    return choices.find((each) => each === kept) ?? choices[0];
  } catch {
    return choices[0];
  }
}

/**
 * @param {string} name
 * @param {string} value
 */
function keep(name, value) {
  try {
    localStorage.setItem(`the-eye.${name}`, value);
  } catch {
    // Storage may be forbidden; then the choice lives until the page is loaded anew.
  }
}
