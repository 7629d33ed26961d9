import { EventTypes } from '../event-types/event-types.cache.js';
import { COMPILER } from '../event-types/schema/payload-schema.spec-support.js';
import type { NewRejection } from '../platform/model/rejection.js';
import { type NewEvent } from '../platform/model/event.js';
import { EventLimitsPipe } from './event-limits.pipe.js';
import { contextOf, readEventText, readOnceCompiled, type Violation } from './event-reader.js';
import { SubmissionBuilder } from './submission.js';

/** Reads events of two types, both of which are observed, and sends them through the pipe. `limited` exceeds a limit. */
async function send(...names: string[]) {
  const recorded: NewRejection[] = [];
  const eventTypes = new EventTypes(COMPILER);
  eventTypes.update(
    ['limited', 'free'].map((name) => ({
      ...{ application: 'default', category: 'c', name, version: 1, mode: 'observe' as const },
      ...{ schema: '{"required":["a"]}', changed_by: '', changed_by_key: null, changed_at: '' },
    })),
  );
  const limits = {
    violations: (_: string, events: readonly NewEvent[]) =>
      Promise.resolve(
        new Map<NewEvent, Violation>(
          events.filter(({ name }) => name === 'limited').map((event) => [event, TOO_MANY]),
        ),
      ),
  };
  const pipe = new EventLimitsPipe(limits, { record: (rejection) => void recorded.push(rejection) });
  const builder = new SubmissionBuilder(true);
  const context = contextOf('default', eventTypes);
  for (const name of names)
    builder.add(
      await readOnceCompiled(context, () =>
        readEventText(JSON.stringify({ session_id: 's', category: 'c', name }), context),
      ),
    );
  const submission = await pipe.transform(builder.build()).catch(() => undefined);
  return {
    accepted: submission?.events.map(({ name }) => name),
    recorded: recorded.map(({ code, observed, event }) => [(event as { name: string }).name, code, observed]),
  };
}

const TOO_MANY: Violation = { code: 'too_many_types', errors: { name: ['one too many'] } };

describe('EventLimitsPipe', () => {
  it('records an event once that is observed by its type and refused by a limit', async () => {
    expect(await send('limited')).toEqual({
      accepted: undefined,
      recorded: [['limited', 'too_many_types', false]],
    });
    expect(await send('free', 'limited', 'free')).toEqual({
      accepted: ['free', 'free'],
      recorded: [
        ['free', 'payload_mismatch', true],
        ['free', 'payload_mismatch', true],
        ['limited', 'too_many_types', false],
      ],
    });
  });
});
