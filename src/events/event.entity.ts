import { Column, Entity, Index, PrimaryColumn, type PrimaryColumnOptions } from 'typeorm';

/** The index across all fields, which decides whether two events are the same. */
const UNIQUE_INDEX = 'events_unique';

const UNIQUE_COLUMNS = ['session_id', 'timestamp', 'application', 'category', 'name', 'data_sha256'];

/** TypeORM must not create the index a second time: it is the one of the primary key. */
const IS_PRIMARY_KEY = { unique: true, synchronize: false };

/** A new object for each column, because TypeORM writes the column's type into it. */
const inKey = (): PrimaryColumnOptions => ({ primaryKeyConstraintName: UNIQUE_INDEX });

/**
 * A stored event. No two rows have all the same values: the unique index across all fields is the authority on sameness.
 * `data` enters it by its SHA-256, because a B-tree entry holds at most about 2.7 kB.
 *
 * `id` has no unique index of its own: it follows from the other fields, and every unique index must contain `session_id`
 * and `timestamp`, so that the table can be partitioned.
 */
@Entity('events')
@Index(UNIQUE_INDEX, UNIQUE_COLUMNS, IS_PRIMARY_KEY)
@Index('events_timestamp', ['timestamp', 'id'])
@Index('events_category', ['category', 'timestamp', 'id'])
@Index('events_application', ['application', 'timestamp', 'id'])
export class EventEntity {
  /** UUIDv8 of the timestamp and of all fields. */
  @Column('uuid')
  id: string;

  /** Name of the application that sent the event. */
  @PrimaryColumn('text', inKey())
  application: string;

  @PrimaryColumn('text', inKey())
  session_id: string;

  @PrimaryColumn('text', inKey())
  category: string;

  @PrimaryColumn('text', inKey())
  name: string;

  @Column('jsonb')
  data: Record<string, unknown>;

  /** Read as text, never as a Date, which drops the microseconds. */
  @PrimaryColumn({ type: 'timestamptz', precision: 6, ...inKey() })
  timestamp: string;

  @PrimaryColumn('bytea', inKey())
  data_sha256: Buffer;

  /**
   * Milliseconds by which the server's clock was ahead of the client's when the event arrived first; null if the client did not
   * say when it sent it. Of the sending, not of the event, so it is in no index.
   */
  @Column('integer', { nullable: true })
  clock_skew_ms: number | null;
}
