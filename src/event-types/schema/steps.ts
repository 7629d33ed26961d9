/** The check of a payload takes more steps than it may. */
export class TooManyStepsError extends Error {}

/** Steps that the current check may still take. A check is synchronous, so there is one at a time. */
let remaining = Infinity;

/** Runs a check. @throws TooManyStepsError beyond `limit` */
export function withStepLimit<Result>(limit: number, check: () => Result): Result {
  remaining = limit;
  try {
    return check();
  } finally {
    remaining = Infinity;
  }
}

/** Counts steps of the current check. A step takes 0.16 µs in the worst case measured. */
export function countSteps(steps: number): void {
  remaining -= steps;
  if (remaining < 0) throw new TooManyStepsError();
}

/** Characters that are read, or written, in one step. */
const CHARACTERS_PER_STEP = 50;

/** Reading a key of a large object takes as long as two keywords. */
const KEY_STEPS = 2;

/** A branch that does not match makes an error, which takes as long as three more keywords. */
const BRANCH_STEPS = 3;

/** Count the steps of a keyword, by what it reads of a value: each takes the value, and the cost of the schemas of the keyword. */
export const STEP_COUNTERS = {
  branchSteps: (_value: unknown, cost: number): void => {
    countSteps(BRANCH_STEPS * cost);
  },
  textSteps: (text: string): void => {
    countSteps(text.length / CHARACTERS_PER_STEP);
  },
  itemSteps: (items: unknown[], cost: number): void => {
    countSteps(items.length * cost);
  },
  keySteps: (object: object, cost: number): void => {
    countSteps(Object.keys(object).length * (KEY_STEPS + cost));
  },
};
