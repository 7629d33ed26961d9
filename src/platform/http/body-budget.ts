/** A body that is being received. */
export interface IncomingBody {
  /** Whether all of it has arrived. */
  isComplete(): boolean;
  /** Bytes that have arrived so far. */
  received(): number;
  /** Ends the request. */
  drop(): void;
}

/** Bytes that are kept for a body until it is released. */
export interface Reservation {
  readonly caller: string;
  /** Whether it was known who sends the body before it was read. */
  readonly isKnown: boolean;
  readonly body: IncomingBody;
  /** Milliseconds of the clock. */
  readonly since: number;
  bytes: number;
}

/** `share`: the caller's part is used up. `total`: the process holds as much as it may, of strangers or in all. */
export type Refusal = 'share' | 'total';

export interface BodyBudgetOptions {
  /** Bytes for all bodies, for those of one caller, and for those of all callers who are not known. */
  readonly total: number;
  readonly share: number;
  readonly strangers: number;
  /** Milliseconds. */
  readonly now?: () => number;
}

/** A sender that is slower loses its place when another needs it: 512 kbit/s. */
const MIN_BYTES_PER_MS = 64;

/** Milliseconds that a sender may be behind that pace. */
const MAX_LAG_MS = 1000;

/**
 * Bounds the bytes of the bodies that a process receives at once, in all and for each caller. Senders that have stopped or
 * are very slow keep their place only as long as nobody else needs it.
 */
export class BodyBudget {
  private readonly reservations = new Set<Reservation>();
  private readonly used = new Map<string, number>();
  private usedInAll = 0;
  private usedByStrangers = 0;
  private readonly now: () => number;

  constructor(private readonly options: BodyBudgetOptions) {
    this.now = options.now ?? Date.now;
  }

  /** Bytes that are reserved for all callers. */
  get bytes(): number {
    return this.usedInAll;
  }

  /**
   * @param isKnown whether it is known who the caller is, so that it does not share a part with all who are not
   * @returns the reservation, or why there is no room for it
   */
  reserve(caller: string, bytes: number, body: IncomingBody, isKnown = true): Reservation | Refusal {
    const reservation = { caller, isKnown, body, since: this.now(), bytes: 0 };
    const refusal = this.makeRoom(reservation, bytes);
    if (refusal) return refusal;
    this.reservations.add(reservation);
    this.add(reservation, bytes);
    return reservation;
  }

  /** Reserves more for a body whose length is not known in advance. */
  extend(reservation: Reservation, bytes: number): Refusal | undefined {
    const refusal = this.makeRoom(reservation, bytes);
    if (!refusal && this.reservations.has(reservation)) this.add(reservation, bytes);
    return refusal;
  }

  /** Releasing it again changes nothing. */
  release(reservation: Reservation): void {
    if (this.reservations.delete(reservation)) this.add(reservation, -reservation.bytes);
  }

  private add(reservation: Reservation, bytes: number): void {
    const { caller, isKnown } = reservation;
    const used = (this.used.get(caller) ?? 0) + bytes;
    reservation.bytes += bytes;
    this.usedInAll += bytes;
    if (!isKnown) this.usedByStrangers += bytes;
    if (used > 0) this.used.set(caller, used);
    else this.used.delete(caller);
  }

  private makeRoom({ caller, isKnown }: Reservation, bytes: number): Refusal | undefined {
    const { share, strangers, total } = this.options;
    const missing = (): number => (this.used.get(caller) ?? 0) + bytes - share;
    if (missing() > 0) this.dropSlowest(missing, (other) => other.caller === caller);
    if (missing() > 0) return 'share';
    const missingOfStrangers = (): number => (isKnown ? 0 : this.usedByStrangers + bytes - strangers);
    if (missingOfStrangers() > 0) this.dropSlowest(missingOfStrangers, (other) => !other.isKnown);
    if (missingOfStrangers() > 0) return 'total';
    const missingInAll = (): number => this.usedInAll + bytes - total;
    if (missingInAll() > 0) this.dropSlowest(missingInAll, () => true);
    return missingInAll() > 0 ? 'total' : undefined;
  }

  /** Drops the bodies that are most behind, until nothing is missing. */
  private dropSlowest(missing: () => number, isCandidate: (reservation: Reservation) => boolean): void {
    const now = this.now();
    const slow = [...this.reservations]
      .filter((reservation) => isCandidate(reservation) && !reservation.body.isComplete())
      .map((reservation) => ({
        reservation,
        lag: now - reservation.since - reservation.body.received() / MIN_BYTES_PER_MS,
      }))
      .filter(({ lag }) => lag > MAX_LAG_MS)
      .sort((one, other) => other.lag - one.lag);
    for (const { reservation } of slow) {
      if (missing() <= 0) return;
      this.release(reservation);
      reservation.body.drop();
    }
  }
}
