import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/**
 * One stored event. No two rows have all the same values: the unique index across all fields is the authority on
 * sameness. `data` enters it by its SHA-256, because a row of a B-tree holds no more than about 2.7 kB.
 *
 * TypeORM wants a primary column; the table itself has no unique index on `id` alone (see the migration).
 */
@Entity('events')
@Index('events_unique', ['session_id', 'timestamp', 'application', 'category', 'name', 'data_sha256'], {
  unique: true,
})
@Index('events_timestamp', ['timestamp', 'id'])
@Index('events_category', ['category', 'timestamp', 'id'])
@Index('events_name', ['name', 'timestamp', 'id'])
@Index('events_application', ['application', 'timestamp', 'id'])
@Index('events_type', ['category', 'name', 'timestamp', 'id'])
export class EventEntity {
  @PrimaryColumn('uuid')
  id: string;

  /** Name of the application that sent it. */
  @Column('text')
  application: string;

  @Column('text')
  session_id: string;

  @Column('text')
  category: string;

  @Column('text')
  name: string;

  @Column('jsonb')
  data: Record<string, unknown>;

  /** Read as text, never as a Date: a Date drops the microseconds. */
  @Column({ type: 'timestamptz', precision: 6 })
  timestamp: string;

  @Column('bytea')
  data_sha256: Buffer;
}
