/**
 * The colour of a custom property as the canvas needs it, in the theme of the moment.
 * @param {string} property e.g. `--accent`
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

/** How many series have a colour of their own. */
export const COLOURS = 8;

/**
 * The custom property of a series' colour, by its rank; all others together are grey.
 * @param {number} rank
 * @param {boolean} [others]
 */
export const seriesColour = (rank, others = false) =>
  others ? '--series-others' : `--series-${(rank % COLOURS) + 1}`;
