import { DomainError, NotFoundError } from '../platform/errors/domain-error.js';

export const applicationExists = (): DomainError =>
  new DomainError('conflict', 'already_exists', 'There is already an application with this name.');

export const keyNotFound = (): DomainError => new NotFoundError('There is no key with this id.');
