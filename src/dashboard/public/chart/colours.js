/**
 * The value of a CSS custom property in the current theme, in a form that the canvas accepts.
 * @param {string} property such as `--accent`
 */
export function colour(property) {
  const probe = document.createElement('span');
  probe.hidden = true;
  probe.style.color = `var(${property})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** The number of series that have a colour of their own. */
export const SERIES_COLOURS = 8;

/**
 * The custom property with the colour of a series, by its rank. The sum of the others is grey.
 * @param {number} rank
 * @param {boolean} [others]
 */
export const seriesColour = (rank, others = false) =>
  others ? '--series-others' : `--series-${(rank % SERIES_COLOURS) + 1}`;
