import { Injectable } from '@nestjs/common';
import { SqlParameters } from '../../platform/filters/filter-sql.js';
import { EventQuestions, scopeSql } from '../../questions/event-questions.js';
import { AGGREGATED_ON_DISK } from '../steps/actor.js';
import { isPlaceSql, pathsSql, type PathsQuery, placeHashSql, placeSql } from './paths-sql.js';

/** The largest places of each level, which are numbered from 1 in this order. */
export interface Level {
  /** The text of each place: see `placeSql()`. */
  readonly places: readonly string[];
  /** How many different places the level has. */
  readonly count: number;
}

/** All places that are not among the largest ones of their level. */
export const OTHERS = 0;
/** The end of a session. */
export const END = -1;
/** The step, which is the only place of level 0. */
export const STEP = 1;

/** How many went from a place of the level before to a place of `level`: numbers of places, OTHERS or END. */
export interface PathLink {
  readonly level: number;
  readonly source: number;
  readonly target: number;
  readonly sessions: number;
}

export interface Paths {
  /** Level 1 first. */
  readonly levels: readonly Level[];
  readonly links: readonly PathLink[];
}

/** Follows sessions from event to event, in ClickHouse. */
@Injectable()
export class PathsRepository {
  constructor(private readonly questions: EventQuestions) {}

  /** @throws ClickHouseUnavailableError, QuestionTooLargeError */
  async follow(query: PathsQuery, limit: number): Promise<Paths> {
    const largest = await this.largest(query, limit);
    const names = await this.names(query, [...new Set(largest.flatMap(({ hashes }) => hashes))]);
    return {
      levels: largest.map(({ hashes, count }) => ({
        places: hashes.map((hash) => names.get(hash) ?? ''),
        count,
      })),
      links: await this.links(
        query,
        largest.map(({ hashes }) => hashes),
      ),
    };
  }

  private async largest(query: PathsQuery, limit: number): Promise<{ hashes: string[]; count: number }[]> {
    const parameters = new SqlParameters();
    const rows = await this.questions.query<{ level: number; hash: string; places: string }>(
      'largest places of paths',
      `SELECT level, hash, count() OVER (PARTITION BY level) AS places
       FROM (
         SELECT level, hash, count() AS sessions
         FROM (${pathsSql(query, parameters)})
         ARRAY JOIN places AS hash, arrayEnumerate(places) AS level
         GROUP BY level, hash
       )
       ORDER BY level, sessions DESC, hash
       LIMIT ${limit} BY level
       ${AGGREGATED_ON_DISK}`,
      parameters,
    );
    return Array.from({ length: query.depth }, (_, index) => {
      const ofLevel = rows.filter(({ level }) => level === index + 1);
      return { hashes: ofLevel.map(({ hash }) => hash), count: Number(ofLevel[0]?.places ?? 0) };
    });
  }

  private async links(query: PathsQuery, largest: readonly (readonly string[])[]): Promise<PathLink[]> {
    const parameters = new SqlParameters();
    const hashes = parameters.add(
      largest.map((ofLevel) => ofLevel.map(BigInt)),
      'Array(Array(UInt64))',
    );
    const rows = await this.questions.query<Omit<PathLink, 'sessions'> & { sessions: string }>(
      'links of paths',
      `SELECT level, source, target, count() AS sessions
       FROM (
         SELECT arrayConcat([${STEP}], arrayMap((place, level) -> toInt32(indexOf(${hashes}[level], place)), places, arrayEnumerate(places)),
           if(length(places) < ${query.depth}, [${END}], [])) AS path
         FROM (${pathsSql(query, parameters)})
       )
       ARRAY JOIN arrayPopBack(path) AS source, arrayPopFront(path) AS target, arrayEnumerate(arrayPopFront(path)) AS level
       GROUP BY level, source, target
       ${AGGREGATED_ON_DISK}`,
      parameters,
    );
    return rows.map(({ sessions, ...link }) => ({ ...link, sessions: Number(sessions) }));
  }

  /** The texts of places by their hashes. */
  private async names(query: PathsQuery, hashes: readonly string[]): Promise<Map<string, string>> {
    if (hashes.length === 0) return new Map();
    const parameters = new SqlParameters();
    const rows = await this.questions.query<{ hash: string; place: string }>(
      'names of places',
      `SELECT ${placeHashSql(query, parameters)} AS hash, any(${placeSql(query, parameters)}) AS place
       FROM events
       WHERE ${scopeSql(query.scope, parameters)} AND ${isPlaceSql(query, parameters)}
         AND hash IN ${parameters.add(hashes.map(BigInt), 'Array(UInt64)')}
       GROUP BY hash`,
      parameters,
    );
    return new Map(rows.map(({ hash, place }) => [hash, place]));
  }
}
