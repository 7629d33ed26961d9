import { Injectable } from '@nestjs/common';
import { EVERYTHING, type Property } from '../../platform/filters/filter.js';
import { formatProperty } from '../../platform/filters/property-name.js';
import { EventQuestions } from '../../questions/event-questions.js';
import { toRange } from '../range.js';
import { ofApplication, valueOf } from '../steps/actor.js';
import type { PathsDto } from './dto/paths.dto.js';
import type { PathNodeResponse, PathsResponse, PathValue } from './dto/paths-response.dto.js';
import { END, type Level, OTHERS, type Paths, PathsRepository, STEP } from './paths.repository.js';

/** Finds out what comes next after an event, or before it. */
@Injectable()
export class PathsService {
  constructor(
    private readonly questions: EventQuestions,
    private readonly paths: PathsRepository,
  ) {}

  /**
   * @param application looks at events of this application only
   * @throws InvalidParametersError, ClickHouseUnavailableError, QuestionTooLargeError
   */
  async follow(dto: PathsDto, application: string | undefined): Promise<PathsResponse> {
    const { step, direction, depth, by_property: property, limit, by, where = EVERYTHING } = dto;
    const range = toRange(dto, 'UTC');
    const as_of = await this.questions.asOf();
    const paths = await this.paths.follow(
      {
        scope: { ...range, filter: ofApplication(where, application) },
        step: step.filter,
        direction,
        depth,
        by,
        ...(property && { property }),
      },
      limit,
    );
    const { category, name } = step;
    return {
      from: range.from.text,
      to: range.to.text,
      as_of,
      by: formatProperty(by),
      direction,
      depth,
      ...(property && { by_property: formatProperty(property) }),
      ...diagram(paths, { category, ...(name !== undefined && { name }) }, property),
    };
  }
}

/** The nodes and links of a Sankey diagram. A node has as many sessions as the links that lead to it. */
function diagram(
  { levels, links }: Paths,
  step: PathValue,
  property: Property | undefined,
): Pick<PathsResponse, 'sessions' | 'nodes' | 'links'> {
  const sessions = total(links.filter(({ level }) => level === 1));
  const nodes: PathNodeResponse[] = [{ level: 0, value: step, sessions, share: 1 }];
  const indexes = new Map([[keyOf(0, STEP), 0]]);
  for (const [index, level] of levels.entries()) {
    const places = [...level.places.map((_, place) => place + 1), OTHERS, END];
    for (const place of places) {
      const reached = total(links.filter((link) => link.level === index + 1 && link.target === place));
      if (reached === 0) continue;
      indexes.set(keyOf(index + 1, place), nodes.length);
      nodes.push({
        level: index + 1,
        ...describe(level, place, property),
        sessions: reached,
        share: reached / sessions,
      });
    }
  }
  return {
    sessions,
    nodes,
    links: links
      .map((link) => ({
        source: indexes.get(keyOf(link.level - 1, link.source)) ?? 0,
        target: indexes.get(keyOf(link.level, link.target)) ?? 0,
        sessions: link.sessions,
      }))
      .sort((a, b) => a.source - b.source || a.target - b.target),
  };
}

const keyOf = (level: number, place: number): string => `${level} ${place}`;

const total = (counts: readonly { sessions: number }[]): number =>
  counts.reduce((sum, { sessions }) => sum + sessions, 0);

function describe(
  { places, count }: Level,
  place: number,
  property: Property | undefined,
): Pick<PathNodeResponse, 'value' | 'others' | 'values'> {
  if (place === END) return { value: null };
  if (place === OTHERS) return { others: true, values: count - places.length };
  const text = places[place - 1] ?? '';
  if (property) return { value: valueOf(property, text) };
  const [category = '', name = ''] = text.split('\0');
  return { value: { category, name } };
}
