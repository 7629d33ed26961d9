import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { EventTypes } from '../event-types/event-types.cache.js';
import { type BodyValue, parseValues, scanBody } from '../events/body-values.js';
import { EventLimits } from '../events/event-limits.js';
import {
  contextOf,
  inexactnessOf,
  readOnceCompiled,
  refuseInexact,
  type Verdict,
  type Violation,
} from '../events/event-reader.js';
import { EventsService } from '../events/events.service.js';
import { LargeBodies, type Turn } from '../events/large-bodies.js';
import { Timeslice } from '../platform/async/timeslice.js';
import { environment } from '../platform/config/environment.js';
import { fieldsOf, growthOf, type ReadEvent, withClockSkew } from '../platform/model/event.js';
import { metrics } from '../platform/telemetry/metrics.js';
import { RejectionsRecorder } from '../rejections/rejections.recorder.js';
import { ArrivalTimes } from './arrival-times.js';
import { type Dialect, isUntranslatable, type Message, type TranslatedEvent } from './dialect.js';
import { readTranslated, translateItem } from './read-item.js';

/** What became of an item of a request. */
export interface ItemResult {
  /** The client's own id of it, if it has one and could be translated. */
  readonly id: string | undefined;
  /** Why it was refused; undefined if it was accepted. */
  readonly violation: Violation | undefined;
  /** The id of the event; undefined if it was refused. */
  readonly eventId: string | undefined;
}

/** An item on its way to an event. */
interface Item {
  readonly found: BodyValue;
  readonly translated: TranslatedEvent | undefined;
  readonly id: string | undefined;
  /** Undefined until it is read. */
  verdict: Verdict | undefined;
}

/**
 * Accepts the items of a request in the protocol of a dialect, in the same way as `POST /events/`: the same reader, limits, types,
 * rejections and queue. A refused item does not affect the others, and is recorded as its client sent it.
 */
@Injectable()
export class DialectIngestion {
  constructor(
    private readonly eventTypes: EventTypes,
    private readonly limits: EventLimits,
    private readonly rejections: RejectionsRecorder,
    private readonly events: EventsService,
    private readonly largeBodies: LargeBodies,
    private readonly arrivals: ArrivalTimes,
  ) {}

  /**
   * Resolves when the events of the items are durable in the queue.
   * @returns the results of the items, in their order
   * @throws DomainError `malformed_json`, `too_many_events`, `rate_limited`, or `unavailable` if nothing was accepted
   */
  accept(request: FastifyRequest): Promise<ItemResult[]> {
    const message = request.message as Message;
    const dialect = request.routeOptions.config.dialect as Dialect;
    const body = { bytes: message.items.length, application: request.caller.application };
    return this.largeBodies.inTurn(body, (turn) => this.acceptItems(dialect, message, request, turn));
  }

  private async acceptItems(
    dialect: Dialect,
    message: Message,
    { caller, points }: FastifyRequest,
    turn: Turn,
  ): Promise<ItemResult[]> {
    const { application, keyId } = caller;
    const slice = new Timeslice();
    const items = await this.translate(dialect, message, slice, points);
    const arrivals = await this.arrivals.of(
      application,
      dialect.name,
      items.flatMap(({ translated }) => translated ?? []),
    );
    const context = contextOf(application, this.eventTypes);
    const arrivedAt = Date.now();
    for (const item of items) {
      if (slice.isOver) await slice.next();
      const { translated } = item;
      if (!translated) continue;
      const verdict = readOnceCompiled(context, () =>
        readTranslated(translated, arrivals.get(translated), context),
      );
      item.verdict = withSkew(
        verdict instanceof Promise ? await turn.pause(verdict) : verdict,
        arrivedAt - (translated.sentAt ?? message.sentAt ?? NaN),
      );
    }
    const events = items.flatMap(({ verdict }) => (verdict && 'event' in verdict ? [verdict.event] : []));
    const growth = growthOf(events);
    if (growth > 0) await points?.take({ bytes: message.items.length + growth });
    const violations = await this.limits.violations(application, events);
    const accepted: ReadEvent[] = [];
    const results = items.map((item): ItemResult => {
      const verdict = item.verdict as Verdict;
      const event = 'event' in verdict ? verdict.event : undefined;
      const violation = event ? violations.get(event) : (verdict as Violation);
      if (violation) this.record(dialect, application, item, violation, event, false);
      else if (event) {
        if (verdict.outcome === 'observed') this.record(dialect, application, item, verdict, event, true);
        accepted.push(event);
      }
      return { id: item.id, violation, eventId: violation ? undefined : event?.id };
    });
    if (accepted.length > 0) await this.events.accept(accepted, 0, { keyId, bytes: message.items.length });
    if (message.skipped) metrics.skipped(dialect.name, message.skipped);
    return results;
  }

  private async translate(
    dialect: Dialect,
    { items: bytes }: Message,
    slice: Timeslice,
    points: FastifyRequest['points'],
  ): Promise<Item[]> {
    const limit = Math.max(dialect.maxItems ?? 0, environment.EVENTS_LIMIT);
    const { values } = await scanBody(bytes, false, slice, limit);
    // Refused items count too, because reading them is the work.
    const pending = points?.take({ events: values.length });
    if (pending) await pending;
    const items: Item[] = [];
    for (const found of parseValues(bytes, values, false)) {
      if (slice.isOver) await slice.next();
      items.push(translateValue(dialect, found));
    }
    return items;
  }

  private record(
    { name: dialect }: Dialect,
    application: string,
    { found, translated }: Item,
    { code, errors }: Violation,
    event: ReadEvent | undefined,
    observed: boolean,
  ): void {
    this.rejections.record({
      application,
      code,
      errors,
      event: found.unread ? null : found.value,
      json: found.text(),
      texts: event ? fieldsOf(event) : translated,
      eventId: event?.id,
      observed,
      dialect,
    });
  }
}

function translateValue(dialect: Dialect, found: BodyValue): Item {
  if (found.unread) return { found, translated: undefined, id: undefined, verdict: found.unread };
  const inexactness = inexactnessOf(found.scanned, found.text, found.value);
  const translation = translateItem(dialect, found.value);
  const { id } = translation;
  if (inexactness) return { found, translated: undefined, id, verdict: refuseInexact(inexactness) };
  return isUntranslatable(translation)
    ? { found, translated: undefined, id, verdict: { outcome: 'refused', ...translation } }
    : { found, translated: translation, id, verdict: undefined };
}

/** @param skewMs NaN if it is unknown */
function withSkew(verdict: Verdict, skewMs: number): Verdict {
  if (verdict.outcome === 'refused' || !Number.isFinite(skewMs)) return verdict;
  return { ...verdict, event: withClockSkew(verdict.event, skewMs) };
}
