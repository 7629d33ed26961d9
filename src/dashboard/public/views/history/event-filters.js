/** The filters of the counts of events. */
export const FILTERS = ['application', 'category', 'name'];
