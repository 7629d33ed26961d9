import { Injectable, type PipeTransform } from '@nestjs/common';
import { APPLICATION_NAME } from '../auth/application-name.js';
import { applicationNotFound } from '../auth/auth-errors.js';
import { InvalidParametersError } from '../platform/errors/domain-error.js';

/** Checks a name in the path: PostgreSQL need not search for an invalid one. */
@Injectable()
export class ApplicationNamePipe implements PipeTransform<string, string> {
  /** @throws NotFoundError */
  transform(name: string): string {
    if (!APPLICATION_NAME.test(name)) throw applicationNotFound();
    return name;
  }
}

/** Checks the name after which a list continues. */
@Injectable()
export class AfterNamePipe implements PipeTransform<unknown, string | undefined> {
  /** @throws InvalidParametersError */
  transform(after: unknown): string | undefined {
    if (after === undefined || (typeof after === 'string' && APPLICATION_NAME.test(after))) return after;
    throw new InvalidParametersError({ after: ['Must be the name of an application.'] });
  }
}
