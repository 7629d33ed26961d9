import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** An event that was accepted and that PostgreSQL then refused, kept as it was so that it can be tried again. */
@Entity('rejections')
@Index('rejections_rejected_at', ['rejected_at', 'id'])
export class RejectionEntity {
  /** The event's own id, so that a job that runs twice sets it aside once. */
  @PrimaryColumn('uuid')
  id: string;

  /** Stable code, e.g. `not_storable`. */
  @Column('text')
  code: string;

  /** What PostgreSQL said. */
  @Column('text')
  message: string;

  /** JSON text, not jsonb: it may be the very thing that jsonb refuses. */
  @Column('text')
  event: string;

  @Column({ type: 'timestamptz', precision: 6, default: () => 'now()' })
  rejected_at: string;
}
