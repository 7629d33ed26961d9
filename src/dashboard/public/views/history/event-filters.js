/** What counts of events can be filtered by. */
export const FILTERS = ['application', 'category', 'name'];
