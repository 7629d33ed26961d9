import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { FieldErrors } from '../platform/http/problem.js';
import type { Outcome, RejectionCode } from '../platform/model/rejection.js';

/** Something that was refused, kept as it came so that it can be looked at and tried again. */
@Entity('rejections')
@Index('rejections_set_aside', ['event_id'], { unique: true, where: "outcome = 'set_aside'" })
@Index('rejections_rejected_at', ['rejected_at', 'id'])
@Index('rejections_application', ['application', 'rejected_at', 'id'])
@Index('rejections_application_code', ['application', 'code', 'rejected_at', 'id'])
@Index('rejections_code', ['code', 'rejected_at', 'id'])
@Index('rejections_outcome', ['outcome', 'rejected_at', 'id'])
@Index('rejections_session', ['session_id', 'rejected_at', 'id'])
@Index('rejections_category', ['category', 'rejected_at', 'id'])
@Index('rejections_name', ['name', 'rejected_at', 'id'])
@Index('rejections_type', ['category', 'name', 'rejected_at', 'id'])
export class RejectionEntity {
  /** Its own: UUIDv8, sorted by time. */
  @PrimaryColumn('uuid')
  id: string;

  /** The event's, where it was accepted. */
  @Column('uuid', { nullable: true })
  event_id: string | null;

  @Column('text')
  application: string;

  @Column('text')
  code: RejectionCode;

  /** Messages by field. */
  @Column('jsonb')
  errors: FieldErrors;

  /** JSON text, not jsonb: it may be the very thing that jsonb refuses. Null where the event was not read. */
  @Column('text', { nullable: true })
  event: string | null;

  /** False where `event` was cut. */
  @Column('boolean')
  whole: boolean;

  @Column('text')
  outcome: Outcome;

  @Column('text', { nullable: true })
  session_id: string | null;

  @Column('text', { nullable: true })
  category: string | null;

  @Column('text', { nullable: true })
  name: string | null;

  @Column({ type: 'timestamptz', precision: 6 })
  rejected_at: string;
}
