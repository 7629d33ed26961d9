import { Injectable, type PipeTransform } from '@nestjs/common';
import { Problem } from '../platform/http/problem.js';
import { NAME } from './applications.service.js';

/** Reads the name of an application from the path: what can be no name is of none, and no question to PostgreSQL. */
@Injectable()
export class ApplicationNamePipe implements PipeTransform<string, string> {
  /** @throws Problem 404 */
  transform(name: string): string {
    if (!NAME.test(name)) throw noApplication();
    return name;
  }
}

/** Reads the name after which a list goes on. */
@Injectable()
export class AfterNamePipe implements PipeTransform<unknown, string | undefined> {
  /** @throws Problem 400 */
  transform(after: unknown): string | undefined {
    if (after === undefined || (typeof after === 'string' && NAME.test(after))) return after;
    throw Problem.invalid(
      { after: ['Must be the name of an application.'] },
      'Some parameters are not as they must be.',
    );
  }
}

export function noApplication(): Problem {
  return new Problem(404, 'not_found', 'There is no application of this name.');
}
