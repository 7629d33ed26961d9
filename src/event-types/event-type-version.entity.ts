import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** One version of an event type of an application. */
@Entity('event_type_versions')
@Index('event_type_versions_changed_at', ['changed_at'])
export class EventTypeVersionEntity {
  /** Name of the application whose events the type is for. */
  @PrimaryColumn('text')
  application: string;

  @PrimaryColumn('text')
  category: string;

  @PrimaryColumn('text')
  name: string;

  /** Counts from 1 in each type. */
  @PrimaryColumn('integer')
  version: number;

  /** JSON text; null in a version that is a deletion. */
  @Column('text', { nullable: true })
  schema: string | null;

  @Column('text', { nullable: true })
  mode: string | null;

  /** Name of the application whose key made the change. */
  @Column('text')
  changed_by: string;

  /** The identifier of the key; null if authentication was off. */
  @Column('text', { nullable: true })
  changed_by_key: string | null;

  @Column({ type: 'timestamptz', precision: 6, default: () => 'clock_timestamp()' })
  changed_at: string;
}
